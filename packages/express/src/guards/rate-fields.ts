import type { RateReading } from "@lb/core";
import type { WallClock } from "@lb/core/kit";
import type { RateHeaders } from "./rate-limit-options.ts";

/** Moments are added to and taken from one another, and a billionth of a second is no second more. */
const rounding = 1e-6;

export interface RateFieldsOptions {
  readonly headers: readonly RateHeaders[];
  readonly name: string;
  readonly points: number;
  readonly windowMs: number;
  readonly burst: number;
  readonly wallClock: WallClock;
}

/** Which header fields say how a limit stands: pairs of name and value. */
export class RateFields {
  readonly #options: RateFieldsOptions;
  /** What may come at once. */
  readonly limit: number;
  readonly #windowSeconds: number;
  /** In a structured field a text has no others (RFC 9651 §3.3.3). */
  readonly #quotedName: string;

  constructor(options: RateFieldsOptions) {
    this.#options = options;
    this.limit = Math.floor(options.burst) + 1;
    this.#windowSeconds = Math.ceil(options.windowMs / 1_000);
    this.#quotedName = `"${options.name.replace(/[^\x20-\x7e]/g, "?").replace(/["\\]/g, "\\$&")}"`;
  }

  /** The rate in words that go into a message too. */
  get policy(): string {
    return `${this.#options.points};w=${this.#windowSeconds};burst=${this.#options.burst}`;
  }

  of(reading: RateReading): readonly (readonly [string, string])[] {
    return this.#options.headers.flatMap((form) => this.#in(form, reading));
  }

  #in(form: RateHeaders, { remaining, resetMs }: RateReading): readonly (readonly [string, string])[] {
    const { points, wallClock } = this.#options;
    const { limit } = this;
    const reset = Math.ceil(resetMs / 1_000 - rounding);
    switch (form) {
      case "draft-6":
        return [
          ["RateLimit-Policy", this.policy],
          ["RateLimit-Limit", String(limit)],
          ["RateLimit-Remaining", String(remaining)],
          ["RateLimit-Reset", String(reset)],
        ];
      case "draft-7":
        return [
          ["RateLimit-Policy", `${points};w=${this.#windowSeconds}`],
          ["RateLimit", `limit=${limit}, remaining=${remaining}, reset=${reset}`],
        ];
      case "draft-8":
        return [
          ["RateLimit-Policy", `${this.#quotedName};q=${points};w=${this.#windowSeconds}`],
          ["RateLimit", `${this.#quotedName};r=${remaining};t=${reset}`],
        ];
      case "x-ratelimit":
        return [
          ["X-RateLimit-Limit", String(limit)],
          ["X-RateLimit-Remaining", String(remaining)],
          ["X-RateLimit-Reset", String(Math.ceil((wallClock() + resetMs) / 1_000))],
        ];
    }
  }
}
