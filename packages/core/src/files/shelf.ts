export interface ShelfLimits {
  readonly maxCount: number;
  readonly maxWeight: number;
}

interface Kept<Value> {
  readonly value: Value;
  readonly weight: number;
}

/** Values by name, within bounds. What was put there longest ago has to make room; whoever made it is told. */
export class Shelf<Value> {
  readonly #limits: ShelfLimits;
  readonly #dropped: (value: Value) => void;
  readonly #kept = new Map<string, Kept<Value>>();
  #weight = 0;

  constructor(limits: ShelfLimits, dropped: (value: Value) => void = () => {}) {
    this.#limits = limits;
    this.#dropped = dropped;
  }

  get weight(): number {
    return this.#weight;
  }

  get size(): number {
    return this.#kept.size;
  }

  get(name: string): Value | undefined {
    return this.#kept.get(name)?.value;
  }

  put(name: string, value: Value, weight: number): void {
    const { maxCount, maxWeight } = this.#limits;
    this.remove(name);
    this.#kept.set(name, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= maxCount && this.#weight <= maxWeight) return;
      this.remove(oldest);
    }
  }

  remove(name: string): void {
    const kept = this.#kept.get(name);
    if (kept === undefined) return;
    this.#kept.delete(name);
    this.#weight -= kept.weight;
    this.#dropped(kept.value);
  }

  /** From the one put there longest ago on, while `isDue`. */
  removeOldest(isDue: (value: Value) => boolean): void {
    for (const [name, { value }] of this.#kept) {
      if (!isDue(value)) return;
      this.remove(name);
    }
  }
}
