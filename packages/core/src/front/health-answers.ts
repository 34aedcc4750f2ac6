import { clientAddressOf, type ForwardingFacts } from "../http/forwarding.ts";
import { jsonResponse } from "../http/json-response.ts";
import type { RequestHead } from "../http/request-head.ts";
import { bearerToken, forwardingFields, type HealthAnswer, type HealthCheck, pathOf } from "../ipc/health-check.ts";

/** Knows how the cluster is. */
export interface HealthAnswers {
  /** Where health checks come to; what begins otherwise is none. */
  readonly path: string;
  /** Undefined: it is a request for the app. */
  answer(check: HealthCheck): HealthAnswer | undefined;
}

/** The whole response if the request is a health check; undefined: it is one for the app. */
export function healthResponse(
  answers: HealthAnswers,
  request: RequestHead,
  facts: ForwardingFacts,
  keepAlive: boolean,
): Buffer | undefined {
  const { method, target, framing, upgrade } = request;
  if (!target.startsWith(answers.path) || (method !== "GET" && method !== "HEAD")) return undefined;
  if (framing.kind !== "none" || upgrade !== undefined) return undefined;
  const answer = answers.answer({
    path: pathOf(target),
    clientAddress: clientAddressOf(request, facts),
    token: bearerToken(request.header("authorization")),
    indirect: !facts.peerTrusted && forwardingFields.some((name) => request.header(name) !== undefined),
  });
  return answer && jsonResponse({ ...answer, keepAlive, head: method === "HEAD" });
}
