import type { RetryCause } from "../model/retry-policy.ts";
import type { BadResponse, Rejection, RequestFault } from "./rejection.ts";

/**
 * Why somebody was answered in place of the app. Where a setting, an event or a metric has a word for it, it is that.
 *
 * - A fault of the request: what came is none, is too large, or is not passed on; `malformed`, as none of the others says.
 * - `request-timeout`: it did not come whole in time.
 * - `denied`: by the lists of addresses; `unauthorized`: no name with its password.
 * - `host-not-allowed`, `origin-not-allowed`; `misdirected`: another certificate is for that host than the connection is for.
 * - `path-not-plain`: its path may mean another one, which is guarded, or leads out of the one it is put under.
 * - `rate-limited`; `queue-full`, `wait-timeout`, `overload`: there are too many; `closed`: we are about to end.
 * - `connect-error`, `reset`, `timeout`, `invalid-response`: what the last attempt came to; `all-tried`: nobody is left who could.
 * - `quarantined`: requests like it have ended processes. `loop`: it has been here before. `fault`: one of ours.
 * - `requests-per-connection`: the app's `server.maxRequestsPerSocket`.
 * - No refusals: `redirect`, `https-redirect`, `respond`, `no-route`, `health`, `acme-challenge`.
 */
export type AnswerReason =
  | RequestFault
  | "malformed"
  | "bytes-behind-upgrade"
  | "request-timeout"
  | "denied"
  | "unauthorized"
  | "host-not-allowed"
  | "origin-not-allowed"
  | "misdirected"
  | "path-not-plain"
  | "rate-limited"
  | "queue-full"
  | "wait-timeout"
  | "overload"
  | "closed"
  | "connect-error"
  | "reset"
  | "timeout"
  | "invalid-response"
  | "all-tried"
  | "quarantined"
  | "loop"
  | "fault"
  | "requests-per-connection"
  | "redirect"
  | "https-redirect"
  | "respond"
  | "no-route"
  | "health"
  | "acme-challenge";

/** What a request is answered whose body is not what its head says. */
export function refusalOf(failure: Rejection | BadResponse): [status: number, reason: AnswerReason] {
  return failure.kind === "rejection" ? [failure.status, failure.fault] : [400, "malformed"];
}

/** Of the last attempt at a request. A status is passed on and has no such word, but where nobody can be asked again. */
export function failureReason(cause: RetryCause): AnswerReason {
  return typeof cause === "number" ? "all-tried" : cause;
}

/** Of what we answer, that is none. */
export function isRefusal(reason: AnswerReason): boolean {
  switch (reason) {
    case "redirect":
    case "https-redirect":
    case "respond":
    case "no-route":
    case "health":
    case "acme-challenge":
      return false;
    default:
      return true;
  }
}
