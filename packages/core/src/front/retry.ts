import type { Endpoint } from "../model/endpoint.ts";
import type { FailureReason } from "../model/outcome.ts";
import { RequestReplay } from "./request-replay.ts";
import type { RetryCause, RetrySettings } from "./settings.ts";

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

/** The cause a response status stands for, if it is one that can be retried. */
export function retryCauseOf(status: number): RetryCause | undefined {
  return status === 502 || status === 503 || status === 504 || status === 500 ? status : undefined;
}

/** What a failed attempt says of its endpoint. */
export function failureReason(cause: RetryCause): FailureReason {
  if (typeof cause === "number") return "status";
  return cause === "connect-error" ? "connect" : cause;
}

/** The attempts made at one request, and whether there may be another. */
export class Attempts {
  readonly replay: RequestReplay;
  /** A stale connection was already made up for. */
  retriedStale = false;
  /** An endpoint that failed this request is being replaced. */
  awaitsReplacement = false;
  readonly #settings: RetrySettings;
  #method = "";
  #startedAtMs = 0;
  #made = 0;
  #tried: Set<Endpoint> | undefined;

  constructor(settings: RetrySettings) {
    this.#settings = settings;
    this.replay = new RequestReplay(settings.maxBodyBytes);
  }

  /** Endpoints that failed this request. */
  get tried(): ReadonlySet<Endpoint> | undefined {
    return this.#tried;
  }

  reset(method: string, nowMs: number): void {
    this.replay.reset();
    this.retriedStale = false;
    this.awaitsReplacement = false;
    this.#method = method;
    this.#startedAtMs = nowMs;
    this.#made = 0;
    this.#tried = undefined;
  }

  began(): void {
    this.#made++;
  }

  failedAt(endpoint: Endpoint): void {
    this.#tried ??= new Set();
    this.#tried.add(endpoint);
  }

  /**
   * Never true for a request that is not idempotent and may have been acted on (`sent`: any byte of it may have reached
   * the endpoint), nor for one whose body is not held whole.
   */
  mayRetry(cause: RetryCause, sent: boolean, nowMs: number): boolean {
    return (
      this.#made < this.#settings.attempts &&
      nowMs - this.#startedAtMs < this.#settings.windowMs &&
      this.replay.complete &&
      (!sent || isIdempotent(this.#method)) &&
      this.#settings.on.includes(cause)
    );
  }
}
