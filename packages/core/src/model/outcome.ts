/**
 * Why an attempt failed, as far as it tells something about the endpoint:
 * - `connect`: no connection could be had, nothing was sent;
 * - `reset`: the connection broke before the response was complete;
 * - `timeout`: the endpoint let a deadline pass;
 * - `invalid-response`: what came back was not HTTP;
 * - `status`: a response whose status counts as a failure (502, 503, 504 unless configured).
 */
export type FailureReason = "connect" | "reset" | "timeout" | "invalid-response" | "status";

/**
 * How a lease ended. `latencyMs` of a time-out is how long the answer was waited for: it is at least as slow as that.
 * `cancelled` (the client went away) says nothing of the endpoint's health.
 */
export type Outcome =
  | { readonly kind: "success"; readonly latencyMs?: number }
  | { readonly kind: "failure"; readonly reason: FailureReason; readonly latencyMs?: number }
  | { readonly kind: "cancelled" };
