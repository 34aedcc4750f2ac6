import { ExpiringTable } from "./expiring-table.ts";
import { entryOverheadBytes, maxCounterBytes, maxCounters } from "./limits.ts";

/** What a counter stands at, and in how many milliseconds it starts anew. */
export interface CounterReading {
  readonly total: number;
  readonly resetMs: number;
}

/** Fixed windows: a counter begins with the first thing it counts and is gone when its window ends. */
export class Counters {
  readonly #table: ExpiringTable<{ total: number }>;

  constructor(maxEntries: number = maxCounters) {
    this.#table = new ExpiringTable({ maxEntries, maxBytes: maxCounterBytes });
  }

  add(key: string, amount: number, windowMs: number, now: number): CounterReading {
    const entry = this.#table.get(key, now);
    if (entry === undefined) {
      this.#table.set(
        key,
        { total: amount },
        { expiresAt: now + windowMs, bytes: entryOverheadBytes + key.length, now },
      );
      return { total: amount, resetMs: windowMs };
    }
    entry.value.total += amount;
    return { total: entry.value.total, resetMs: entry.expiresAt - now };
  }

  get(key: string, now: number): CounterReading | undefined {
    const entry = this.#table.get(key, now);
    return entry && { total: entry.value.total, resetMs: entry.expiresAt - now };
  }

  sweep(now: number): void {
    this.#table.sweep(now);
  }

  delete(key: string): boolean {
    return this.#table.delete(key);
  }
}
