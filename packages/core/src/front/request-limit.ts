import { reasonPhrase } from "../http/error-response.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { Clock } from "../model/clock.ts";
import type { LbError } from "../model/errors.ts";
import type { RateLimitSettings } from "../options/rate-limit-options.ts";
import { LeakyBuckets } from "../rates/leaky-buckets.ts";
import type { Held } from "./held.ts";
import { type LimitKey, limitKey } from "./limit-key.ts";
import type { Response } from "./responder.ts";

export interface RequestLimitOptions {
  readonly settings: RateLimitSettings;
  readonly clock: Clock;
  /** A request did not pass, or in a dry run would not have. */
  readonly limited: () => void;
  readonly keyFailed: (error: LbError) => void;
  /** Default 100,000: some 20 MB where all of them are in use. */
  readonly maxKeys?: number;
  /** Requests that are held back at a time; one more does not pass. Default 10,000. */
  readonly maxHeld?: number;
}

/** Lets as many requests pass as the settings say, for each key by itself. */
export class RequestLimit {
  readonly #options: RequestLimitOptions;
  readonly #keyOf: LimitKey;
  readonly #buckets: LeakyBuckets;
  readonly #maxHeld: number;
  /** Of the answer: what there is of the limit in general. */
  readonly #policy: string;
  #held = 0;

  constructor(options: RequestLimitOptions) {
    const { settings, keyFailed, maxKeys = 100_000, maxHeld = 10_000 } = options;
    const { points, windowMs, burst } = settings;
    this.#options = options;
    this.#keyOf = limitKey(settings.key, keyFailed);
    this.#buckets = new LeakyBuckets({ points, windowMs, burst, maxKeys });
    this.#maxHeld = maxHeld;
    const seconds = Math.max(1, Math.ceil(windowMs / 1_000));
    this.#policy = `"default";q=${Math.floor((points * seconds * 1_000) / windowMs)};w=${seconds}`;
  }

  /** Where `to` says, or in its place an answer, or that it is held back before it goes there. */
  pass<To>(request: RequestHead, to: () => To): To | Response | Held<To> {
    const key = this.#keyOf(request);
    if (key === undefined) return to();
    const { settings, clock, limited } = this.#options;
    const { points, windowMs, heldBeyond, dryRun } = settings;
    const poured = this.#buckets.pour(key, Math.floor(clock.now()));
    if (poured.kind === "full") {
      limited();
      return dryRun ? to() : this.#refusal(poured.waitMs);
    }
    const beyond = poured.excess - heldBeyond;
    const isHeld = beyond > 0 && !dryRun;
    const waitMs = Math.floor((beyond * windowMs) / points);
    if (isHeld && this.#held >= this.#maxHeld) {
      limited();
      return this.#refusal(waitMs);
    }
    if (settings.headers && !dryRun) request.responseLines += this.#linesOf(poured.excess);
    return isHeld ? { kind: "held", wait: (released) => this.#hold(waitMs, () => released(to())) } : to();
  }

  #hold(ms: number, release: () => void): () => void {
    let waits = true;
    const done = () => {
      if (waits) this.#held--;
      waits = false;
    };
    this.#held++;
    const timer = this.#options.clock.after(ms, () => {
      done();
      release();
    });
    return () => {
      done();
      timer.cancel();
    };
  }

  /** Of a response to a request that passes: how many more may at once, and in how many seconds all of them. */
  #linesOf(excess: number): string {
    const { points, windowMs, burst } = this.#options.settings;
    const left = Math.max(0, Math.floor(burst - excess));
    const seconds = Math.ceil((excess * windowMs) / points / 1_000);
    return `RateLimit-Policy: ${this.#policy}\r\nRateLimit: "default";r=${left};t=${seconds}\r\n`;
  }

  /** With the fields of draft-ietf-httpapi-ratelimit-headers. */
  #refusal(waitMs: number): Response {
    const { statusCode: status } = this.#options.settings;
    const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
    const fields = [
      ...["Content-Type", "text/plain; charset=utf-8"],
      ...["Retry-After", `${seconds}`, "RateLimit-Policy", this.#policy, "RateLimit", `"default";r=0;t=${seconds}`],
    ];
    return { kind: "answer", reason: "rate-limited", status, fields, body: `${status} ${reasonPhrase(status)}\n` };
  }
}
