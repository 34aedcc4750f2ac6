import type { Endpoint } from "../../model/endpoint.ts";
import { defaultRetry, mayRetry, type RetryCause, type RetrySettings } from "../../model/retry-policy.ts";
import type { UpstreamFailure } from "../transport/upstream.ts";
import { RequestReplay } from "./request-replay.ts";

export interface FailedAttempt {
  /** Any byte of the request may have reached the endpoint. */
  readonly sent: boolean;
  /** Its kept-alive connection was just closed. */
  readonly stale?: boolean;
  /**
   * Another attempt is not paid for from the budget of retries: it cannot multiply the load. Who died with an endpoint comes
   * back alone, and who did not reach it cost nobody anything.
   */
  readonly free?: boolean;
}

/**
 * How long the beginning of a small response waits for its rest, at least, and at most a tick of the wheel more: while the
 * client has seen none of it, another endpoint can give it instead. express-session sends all of an answer but its last
 * byte, and that when the session is stored; 99.9 % of Etherpad's answers were whole by then, and half of them after 0.3 ms.
 */
export const heldResponseMs = 50;

/** It is to be tried alone, for so long; undefined: as long as any suspect. */
interface Trial {
  readonly ms: number | undefined;
}

/** A request that had two endpoints die under it is not sent to a third one. */
const maxDeaths = 2;

/** The attempts made at one request, and whether there may be another. */
export class Attempts {
  readonly replay = new RequestReplay();
  /** A stale connection was already made up for. */
  retriedStale = false;
  /** An endpoint that failed this request is being replaced. */
  awaitsReplacement = false;
  #settings: RetrySettings = defaultRetry;
  #method = "";
  #startedAtMs = 0;
  #made = 0;
  #deaths = 0;
  #aloneSinceMs: number | undefined;
  #trial: Trial | undefined;
  #tried: Set<Endpoint> | undefined;

  /** Endpoints that failed this request. */
  get tried(): ReadonlySet<Endpoint> | undefined {
    return this.#tried;
  }

  /** A new request, which is tried as often as `settings` say. */
  reset(settings: RetrySettings, method: string, nowMs: number): void {
    this.#settings = settings;
    this.replay.reset(settings.maxBodyBytes);
    this.retriedStale = false;
    this.awaitsReplacement = false;
    this.#method = method;
    this.#startedAtMs = nowMs;
    this.#made = 0;
    this.#deaths = 0;
    this.#aloneSinceMs = undefined;
    this.#trial = undefined;
    this.#tried = undefined;
  }

  /** Its endpoint died while it had the request or one like it, which may be the reason: another attempt is made alone. */
  get suspected(): boolean {
    return this.#deaths > 0 || this.#trial !== undefined;
  }

  get trialMs(): number | undefined {
    return this.#trial?.ms;
  }

  /** Requests like it have lost their endpoints. */
  suspect(trialMs: number | undefined): void {
    this.#trial = { ms: trialMs };
  }

  /** Nothing is known any more against those like it. */
  trust(): void {
    this.#trial = undefined;
  }

  /** It is the reason, and is not sent to another one. */
  convict(): void {
    this.#deaths = maxDeaths;
  }

  /** When it began to wait for its turn to be tried alone. */
  aloneSince(nowMs: number): number {
    this.#aloneSinceMs ??= nowMs;
    return this.#aloneSinceMs;
  }

  /** How long another attempt may still begin. */
  remainingMs(nowMs: number): number {
    return Math.max(0, this.#startedAtMs + this.#settings.windowMs - nowMs);
  }

  /**
   * The stream of this attempt broke. `died`: with its endpoint, and nothing explains that but its requests; `untouched`:
   * it had served before, and nothing came back this time.
   */
  broken(
    { reason, sent, endpointDown = false }: UpstreamFailure,
    { died, untouched }: { readonly died: boolean; readonly untouched: boolean },
  ): FailedAttempt {
    const unreached = endpointDown && !sent;
    if (endpointDown) this.awaitsReplacement = true;
    if (died) this.#deaths++;
    // An attempt of which the endpoint got nothing is none.
    if (unreached) this.#made--;
    const stale = untouched && reason === "reset" && !died && !this.retriedStale;
    return { sent, stale, free: stale || died || unreached };
  }

  /** Its endpoint fell silent: once, another one may answer instead, if that were so after a reset. */
  mayLeave(nowMs: number): boolean {
    return !this.suspected && this.mayRetry("reset", true, nowMs);
  }

  /** It may be what keeps its endpoint busy. */
  left(): FailedAttempt {
    this.#deaths++;
    return { sent: true, free: true };
  }

  began(): void {
    this.#made++;
  }

  failedAt(endpoint: Endpoint): void {
    this.#tried ??= new Set();
    this.#tried.add(endpoint);
  }

  mayRetry(cause: RetryCause, sent: boolean, nowMs: number): boolean {
    if (this.#deaths >= maxDeaths) return false;
    const replayable = this.replay.complete;
    const elapsedMs = nowMs - this.#startedAtMs;
    return mayRetry(this.#settings, { cause, method: this.#method, sent, replayable, made: this.#made, elapsedMs });
  }
}
