import type { ForwardingFacts } from "../../http/forwarding.ts";
import type { RequestHead } from "../../http/request-head.ts";
import { type Response, respondedBy } from "../responder.ts";
import type { FrontContext } from "./context.ts";
import type { Way } from "./way.ts";

/** What becomes of a request: somebody answers in place of everybody, or it goes its way. */
export function destinationOf(
  request: RequestHead,
  facts: ForwardingFacts,
  { responders, router, way }: Pick<FrontContext, "responders" | "router" | "way">,
): Way | Response {
  const response = respondedBy(responders, request, facts);
  if (response !== undefined) return response;
  return router === undefined ? way : router.route(request, facts);
}
