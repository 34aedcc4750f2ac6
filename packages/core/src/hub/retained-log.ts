/** How much of a channel's retained messages is kept; the oldest go first. */
export interface RetentionSettings {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

interface Entry<Item> {
  readonly item: Item;
  readonly bytes: number;
  readonly at: number;
}

/** The last items of a numbered sequence without gaps: bounded by count, bytes and age. */
export class RetainedLog<Item> {
  readonly #settings: RetentionSettings;
  /** From `#first` on; those before it are forgotten, and cut off now and then. */
  #entries: Entry<Item>[] = [];
  #first = 0;
  #bytes = 0;
  #head: number;

  /** `head`: the number before the first one that will be in here. */
  constructor(settings: RetentionSettings, head: number) {
    this.#settings = settings;
    this.#head = head;
  }

  /** The number of the last item that was ever added. */
  get head(): number {
    return this.#head;
  }

  /** Whatever has a higher number is in here. */
  get floor(): number {
    return this.#head - (this.#entries.length - this.#first);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many are in here. */
  get size(): number {
    return this.#entries.length - this.#first;
  }

  append(item: Item, bytes: number, now: number): void {
    this.#entries.push({ item, bytes, at: now });
    this.#bytes += bytes;
    this.#head += 1;
    this.expire(now);
  }

  /** What comes before everything in here, in order; its last item has the number of the floor. */
  prepend(items: readonly { readonly item: Item; readonly bytes: number }[], now: number): void {
    const older = items.map(({ item, bytes }) => ({ item, bytes, at: now }));
    for (const { bytes } of older) this.#bytes += bytes;
    this.#entries = [...older, ...this.#entries.slice(this.#first)];
    this.#first = 0;
    this.expire(now);
  }

  /** Forgets everything; the next item has the number after `head`. */
  restart(head: number): void {
    this.#entries = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#head = head;
  }

  /** The items with numbers above `sequence`, in order, each with its number. */
  *after(sequence: number): Generator<readonly [sequence: number, item: Item]> {
    const { floor } = this;
    for (let number = Math.max(floor, sequence) + 1; number <= this.#head; number += 1) {
      yield [number, this.#entries[this.#first + number - floor - 1]!.item];
    }
  }

  /** Forgets the oldest until no more than so many bytes are left, where each of them takes so many more than its own. */
  shrink(maxBytes: number, overheadBytes: number, now: number): void {
    this.#expire(now, maxBytes, overheadBytes);
  }

  expire(now: number): void {
    this.#expire(now, this.#settings.maxBytes);
  }

  #expire(now: number, maxBytes: number, overheadBytes = 0): void {
    const { maxEntries, maxAgeMs } = this.#settings;
    const entries = this.#entries;
    let first = this.#first;
    for (; first < entries.length; first += 1) {
      const { bytes, at } = entries[first]!;
      const left = entries.length - first;
      if (left <= maxEntries && this.#bytes + left * overheadBytes <= maxBytes && now - at <= maxAgeMs) break;
      this.#bytes -= bytes;
    }
    this.#first = first;
    // Half of it is dead: each entry is moved at most once on average.
    if (first > 64 && first * 2 > entries.length) {
      this.#entries = entries.slice(first);
      this.#first = 0;
    }
  }
}
