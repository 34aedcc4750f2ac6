import type { ForwardingFacts } from "../../http/forwarding.ts";
import type { RequestHead } from "../../http/request-head.ts";
import { respondedBy } from "../responder.ts";
import type { FrontContext } from "./context.ts";
import type { Found, Passage } from "./router.ts";

/** What becomes of a request: somebody answers in place of everybody, or it goes its way. */
export function destinationOf(
  request: RequestHead,
  facts: ForwardingFacts,
  { responders, limit, router, way }: Pick<FrontContext, "responders" | "limit" | "router" | "way">,
): Passage {
  const response = respondedBy(responders, request, facts);
  if (response !== undefined) return response;
  if (router !== undefined) return router.route(request, facts);
  return limit === undefined ? way : limit.pass<Found>(request, () => way);
}
