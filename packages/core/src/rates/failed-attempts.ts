import { LeakyBuckets } from "./leaky-buckets.ts";

/** So many may fail at once, and so many more in a minute; addresses that are told apart. */
const burst = 9;
const pointsPerMinute = 6;
const maxKeys = 10_000;

/**
 * Keeps those out for a while who guess: after ten failures of one address none of its attempts is looked at until another would be
 * allowed. Right ones neither, or guessing would go on.
 */
export class FailedAttempts {
  readonly #buckets = new LeakyBuckets({ points: pointsPerMinute, windowMs: 60_000, burst, maxKeys });
  /** Until when, by address. Never more than there are buckets. */
  readonly #out = new Map<string, number>();

  /** How long it has to wait; 0: it may try. */
  waitMs(address: string, now: number): number {
    const until = this.#out.get(address);
    if (until === undefined) return 0;
    if (until > now) return until - now;
    this.#out.delete(address);
    return 0;
  }

  failed(address: string, now: number): void {
    const poured = this.#buckets.pour(address, now);
    // Of the tenth's excess something may have leaked.
    if (poured.kind === "fits" && poured.excess < burst - 0.5) return;
    const [oldest] = this.#out.keys();
    if (this.#out.size >= maxKeys && oldest !== undefined) this.#out.delete(oldest);
    this.#out.set(address, now + (poured.kind === "full" ? poured.waitMs : 60_000 / pointsPerMinute));
  }
}
