import type { Outcome } from "./outcome.ts";

export type RetryCause = "connect-error" | "reset" | "timeout" | "invalid-response" | 500 | 502 | 503 | 504;

export const retryCauses: readonly RetryCause[] = Object.freeze([
  "connect-error",
  "reset",
  "timeout",
  "invalid-response",
  500,
  502,
  503,
  504,
]);

/** How often, for how long and after what a request is tried on another endpoint. */
export interface RetrySettings {
  /** Attempts altogether, the first included. Default 3; 1 turns retrying off. */
  readonly attempts: number;
  /** No retry is begun later than this after the request arrived, in milliseconds. Default 30,000. */
  readonly windowMs: number;
  /**
   * What is retried. Default `["connect-error", "reset", 502, 503, 504]`.
   * `connect-error`: the endpoint got nothing, so any method is retried. Everything else only for idempotent methods
   * (RFC 9110 §9.2.2), because the endpoint may have acted. `timeout` must be asked for: it multiplies slow work.
   */
  readonly on: readonly RetryCause[];
  /** Request-body bytes kept for sending them again; a longer body makes its request unrepeatable. Default 65,536. */
  readonly maxBodyBytes: number;
}

export const defaultRetry: RetrySettings = Object.freeze({
  attempts: 3,
  windowMs: 30_000,
  on: Object.freeze(["connect-error", "reset", 502, 503, 504] as const),
  maxBodyBytes: 65_536,
});

/** RFC 9110 §9.2.2: doing it twice is the same as doing it once. */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case "GET":
    case "HEAD":
    case "OPTIONS":
    case "PUT":
    case "DELETE":
      return true;
    default:
      return false;
  }
}

/** The cause that a response's status is, if it is one that can be retried. */
export function retryCauseOf(status: number): Extract<RetryCause, number> | undefined {
  return status === 502 || status === 503 || status === 504 || status === 500 ? status : undefined;
}

/** What an attempt came to at its endpoint. */
export function outcomeOf(cause: RetryCause): Outcome {
  if (typeof cause === "number") return { kind: "response", status: cause };
  return { kind: "failure", reason: cause === "connect-error" ? "connect" : cause };
}

export interface FailedTry {
  readonly cause: RetryCause;
  readonly method: string;
  /** Any byte of the request may have reached the endpoint. */
  readonly sent: boolean;
  /** The request is held whole, body included. */
  readonly replayable: boolean;
  /** Attempts so far. */
  readonly made: number;
  /** Since the request came. */
  readonly elapsedMs: number;
}

/** Never true for a request that is not idempotent and may have been acted on, nor for one that is not held whole. */
export function mayRetry(
  { attempts, windowMs, on }: RetrySettings,
  { cause, method, sent, replayable, made, elapsedMs }: FailedTry,
): boolean {
  return made < attempts && elapsedMs < windowMs && replayable && (!sent || isIdempotent(method)) && on.includes(cause);
}
