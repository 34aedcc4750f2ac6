export interface LeakyBucketsOptions {
  /** So many requests leak out of a bucket in {@link windowMs}. */
  readonly points: number;
  readonly windowMs: number;
  /** Requests that a bucket holds beyond the one that leaks. */
  readonly burst: number;
  /** Buckets kept at a time; for one more, the one that was idle for longest goes. */
  readonly maxKeys: number;
}

export type Poured =
  /** `excess`: requests above the rate, this one included. */
  | { readonly kind: "fits"; readonly excess: number }
  /** `waitMs`: after that it would fit, if nothing else came. */
  | { readonly kind: "full"; readonly waitMs: number };

interface Bucket {
  readonly key: string;
  /** In thousandths of a request, so that rates by the second are whole numbers, as they are in nginx. */
  excess: number;
  filledAt: number;
  newer: Bucket;
  older: Bucket;
}

/** Drained buckets that go whenever one is added: the table is as large as traffic, not as its history. */
const drainedAtOnce = 2;

/**
 * A leaky bucket for each key, with the arithmetic of nginx's `limit_req` in milliseconds: what does not fit leaves no mark,
 * and the first request of a key fills nothing. Each call is O(1).
 */
export class LeakyBuckets {
  readonly #options: LeakyBucketsOptions;
  readonly #buckets = new Map<string, Bucket>();
  /** Before the newest and behind the oldest. */
  readonly #ends: Bucket;
  /** Thousandths that leak in a window. */
  readonly #leak: number;

  constructor(options: LeakyBucketsOptions) {
    this.#options = options;
    this.#leak = options.points * 1_000;
    this.#ends = loop("");
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** `now` in milliseconds. */
  pour(key: string, now: number): Poured {
    const { windowMs, burst } = this.#options;
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      this.#add(key, now);
      return { kind: "fits", excess: 0 };
    }
    this.#touch(bucket);
    const excess = this.#excessOf(bucket, now) + 1_000;
    const beyond = Math.max(0, excess) - burst * 1_000;
    if (beyond > 0) return { kind: "full", waitMs: (beyond * windowMs) / this.#leak };
    bucket.excess = Math.max(0, excess);
    bucket.filledAt = now;
    return { kind: "fits", excess: bucket.excess / 1_000 };
  }

  /** Below zero: a request would fill nothing. */
  #excessOf({ excess, filledAt }: Bucket, now: number): number {
    return excess - (this.#leak * Math.max(0, now - filledAt)) / this.#options.windowMs;
  }

  #add(key: string, now: number): void {
    for (let left = drainedAtOnce; left > 0; left--) {
      const oldest = this.#ends.newer;
      if (oldest === this.#ends || this.#excessOf(oldest, now) + 1_000 > 0) break;
      this.#drop(oldest);
    }
    if (this.#buckets.size >= this.#options.maxKeys) this.#drop(this.#ends.newer);
    // What was cut out of a head would hold on to all of it.
    const own = Buffer.from(key, "utf16le").toString("utf16le");
    const bucket = loop(own);
    bucket.filledAt = now;
    this.#buckets.set(own, bucket);
    this.#link(bucket);
  }

  #touch(bucket: Bucket): void {
    if (this.#ends.older === bucket) return;
    unlink(bucket);
    this.#link(bucket);
  }

  #drop(bucket: Bucket): void {
    unlink(bucket);
    this.#buckets.delete(bucket.key);
  }

  #link(bucket: Bucket): void {
    const newest = this.#ends.older;
    bucket.older = newest;
    bucket.newer = this.#ends;
    newest.newer = bucket;
    this.#ends.older = bucket;
  }
}

function unlink({ newer, older }: Bucket): void {
  newer.older = older;
  older.newer = newer;
}

function loop(key: string): Bucket {
  const bucket = { key, excess: 0, filledAt: 0 } as Bucket;
  bucket.newer = bucket;
  bucket.older = bucket;
  return bucket;
}
