/** One key of an {@link ExpiringTable}. */
interface Entry<Value> {
  readonly key: string;
  value: Value;
  bytes: number;
  expiresAt: number;
  /** Its place in the heap. */
  index: number;
}

export interface ExpiringTableOptions {
  readonly maxEntries: number;
  /** Of all values, by what they were declared to weigh. */
  readonly maxBytes: number;
}

/**
 * Keys and values that last for a time. Bounded: what has expired goes first, then what would expire first. The times are
 * the caller's, so that one clock rules.
 */
export class ExpiringTable<Value> {
  readonly #options: ExpiringTableOptions;
  readonly #entries = new Map<string, Entry<Value>>();
  /** A binary heap by `expiresAt`: no child expires before its parent. */
  readonly #heap: Entry<Value>[] = [];
  #bytes = 0;

  constructor(options: ExpiringTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string, now: number): { readonly value: Value; readonly expiresAt: number } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAt > now) return entry;
    this.#remove(entry);
    return undefined;
  }

  /** A value that alone is beyond the bound is not kept, nor what it was to replace. */
  set(key: string, value: Value, { expiresAt, bytes = 0, now }: { expiresAt: number; bytes?: number; now: number }) {
    const before = this.#entries.get(key);
    if (before !== undefined) this.#remove(before);
    if (bytes > this.#options.maxBytes || expiresAt <= now) return;
    const { maxEntries, maxBytes } = this.#options;
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      const full = this.#entries.size >= maxEntries || this.#bytes + bytes > maxBytes;
      if (first.expiresAt > now && !full) break;
      this.#remove(first);
    }
    const entry = { key, value, bytes, expiresAt, index: this.#heap.length };
    this.#entries.set(key, entry);
    this.#bytes += bytes;
    this.#heap.push(entry);
    this.#rise(entry);
  }

  /** Whether it was there. */
  delete(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#remove(entry);
    return true;
  }

  /** Forgets what has expired. */
  sweep(now: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.expiresAt <= now; first = this.#heap[0]) {
      this.#remove(first);
    }
  }

  #remove(entry: Entry<Value>): void {
    this.#entries.delete(entry.key);
    this.#bytes -= entry.bytes;
    const last = this.#heap.pop()!;
    if (last === entry) return;
    this.#put(last, entry.index);
    this.#rise(last);
    this.#sink(last);
  }

  #put(entry: Entry<Value>, index: number): void {
    this.#heap[index] = entry;
    entry.index = index;
  }

  #rise(entry: Entry<Value>): void {
    while (entry.index > 0) {
      const above = this.#heap[(entry.index - 1) >> 1]!;
      if (above.expiresAt <= entry.expiresAt) return;
      const { index } = above;
      this.#put(above, entry.index);
      this.#put(entry, index);
    }
  }

  #sink(entry: Entry<Value>): void {
    for (;;) {
      const left = this.#heap[2 * entry.index + 1];
      const right = this.#heap[2 * entry.index + 2];
      if (left === undefined) return;
      const below = right !== undefined && right.expiresAt < left.expiresAt ? right : left;
      if (below.expiresAt >= entry.expiresAt) return;
      const { index } = below;
      this.#put(below, entry.index);
      this.#put(entry, index);
    }
  }
}
