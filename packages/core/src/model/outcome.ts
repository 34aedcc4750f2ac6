/**
 * Why there was no response, or no whole one:
 * - `connect`: no connection could be had, nothing was sent;
 * - `reset`: the connection broke before the response was complete;
 * - `timeout`: the endpoint let a deadline pass;
 * - `invalid-response`: what came back was not HTTP.
 */
export type FailureReason = "connect" | "reset" | "timeout" | "invalid-response";

export const failureReasons: readonly FailureReason[] = Object.freeze([
  "connect",
  "reset",
  "timeout",
  "invalid-response",
]);

/**
 * How a lease ended. It states what happened and judges nothing: what a status means is for whoever reads it, which are the
 * retries, the health of endpoints and the judgement of a canary, each with an option that says what it counts.
 *
 * - `response`: it was answered; `latencyMs` is the time to the response's head;
 * - `success`: the same where there is no status, as in protocols other than HTTP;
 * - `failure`: `latencyMs` of a time-out is how long the answer was waited for: it is at least as slow as that;
 * - `cancelled`: the client went away, which says nothing of the endpoint.
 */
export type Outcome =
  | { readonly kind: "response"; readonly status: number; readonly latencyMs?: number }
  | { readonly kind: "success"; readonly latencyMs?: number }
  | { readonly kind: "failure"; readonly reason: FailureReason; readonly latencyMs?: number }
  | { readonly kind: "cancelled" };

/** The client went away, or the lease was never used. */
export const cancelled: Outcome = Object.freeze({ kind: "cancelled" });
