import { ExpiringTable } from "./expiring-table.ts";
import { entryOverheadBytes, maxCounterBytes, maxCounters } from "./limits.ts";

/** How often something may happen: `points` in `windowMs`, evenly, and `burst` of them ahead of that pace. */
export interface Rate {
  readonly points: number;
  readonly windowMs: number;
  /** With 0, requests have to be `windowMs / points` apart. */
  readonly burst: number;
}

export interface RateReading {
  readonly allowed: boolean;
  /** How many more would be allowed at this moment. */
  readonly remaining: number;
  /** Until the next one is allowed; 0: it is. */
  readonly retryMs: number;
  /** Until all that is ever allowed at once is allowed again. */
  readonly resetMs: number;
}

/** Sums of intervals are off by less than this, and nobody is refused for it. */
const rounding = 1e-6;

/**
 * The leaky bucket of nginx's `limit_req`, as the generic cell rate algorithm has it: of each key one moment is kept, up
 * to which its requests so far have used up what the pace allows. A key whose moment has passed is like one that was
 * never seen, so it is not kept; beyond the bound, the key goes that would be forgotten first.
 */
export class RateTable {
  readonly #usedUntil: ExpiringTable<undefined>;

  constructor(maxEntries: number = maxCounters) {
    this.#usedUntil = new ExpiringTable({ maxEntries, maxBytes: maxCounterBytes });
  }

  /** Lets go of those at rest; `take` does so too. */
  sweep(nowMs: number): void {
    this.#usedUntil.sweep(nowMs);
  }

  /** Takes one point of `key`, if there is one. `nowMs` must not go back. */
  take(key: string, { points, windowMs, burst }: Rate, nowMs: number): RateReading {
    const intervalMs = windowMs / points;
    const until = this.#until(key, nowMs);
    const ahead = (until - nowMs) / intervalMs;
    if (ahead > burst + rounding) {
      return { allowed: false, remaining: 0, retryMs: (ahead - burst) * intervalMs, resetMs: until - nowMs };
    }
    this.#set(key, until + intervalMs, nowMs);
    const remaining = Math.floor(burst - ahead + rounding);
    return {
      allowed: true,
      remaining,
      retryMs: remaining > 0 ? 0 : (ahead + 1 - burst) * intervalMs,
      resetMs: until + intervalMs - nowMs,
    };
  }

  /**
   * Has `key` have taken so many points more, or fewer if it is below 0, whatever the rate allows. One that would have taken
   * less than nothing is at rest: `-Infinity` forgets it.
   */
  adjust(key: string, { points, windowMs }: Pick<Rate, "points" | "windowMs">, by: number, nowMs: number): void {
    this.#set(key, this.#until(key, nowMs) + (by * windowMs) / points, nowMs);
  }

  #until(key: string, nowMs: number): number {
    return this.#usedUntil.get(key, nowMs)?.expiresAt ?? nowMs;
  }

  #set(key: string, until: number, now: number): void {
    this.#usedUntil.set(key, undefined, { expiresAt: until, bytes: entryOverheadBytes + key.length, now });
  }
}
