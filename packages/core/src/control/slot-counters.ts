/** What was counted for one endpoint, or for a slot over all its endpoints. */
export interface Counters {
  readonly requests: number;
  readonly failures: number;
}

const none: Counters = { requests: 0, failures: 0 };

/** Keeps the counts of workers that are gone, so that a slot's never go back when its worker is replaced. */
export class SlotCounters {
  readonly #departed = new Map<number, Counters>();

  /** An endpoint will not be counted for any more. */
  add(slot: number, counters: Counters): void {
    this.#departed.set(slot, sum(this.of(slot), counters));
  }

  of(slot: number): Counters {
    return this.#departed.get(slot) ?? none;
  }
}

export function sum(one: Counters, other: Counters): Counters {
  return { requests: one.requests + other.requests, failures: one.failures + other.failures };
}
