import type { AnswerReason } from "../http/answer-reason.ts";
import type { ForwardingFacts } from "../http/forwarding.ts";
import type { OwnAnswer } from "../http/own-response.ts";
import type { RequestHead } from "../http/request-head.ts";

/** What a client gets in place of the app's answer. */
export type Response =
  | ({ readonly kind: "answer"; readonly reason: AnswerReason } & OwnAnswer)
  /** Plain text that names the status, and the end of the connection. */
  | { readonly kind: "refusal"; readonly status: number; readonly reason: AnswerReason };

/**
 * Somebody who may answer a request instead of the app, by its head alone: health checks, what the settings do not
 * allow. Asked for every request, in order; the first answer counts.
 */
export interface Responder {
  /** `request.clientAddress` is set. Undefined: the request is not for this one. */
  respond(request: RequestHead, facts: ForwardingFacts): Response | undefined;
}

/** The first answer; undefined: the request is the app's. */
export function respondedBy(
  responders: readonly Responder[],
  request: RequestHead,
  facts: ForwardingFacts,
): Response | undefined {
  for (const responder of responders) {
    const response = responder.respond(request, facts);
    if (response !== undefined) return response;
  }
  return undefined;
}
