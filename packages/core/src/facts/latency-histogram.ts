/**
 * How long things took, in buckets that never change. Plain JSON: so they can be summed over processes and machines, and a
 * difference of two of them is what happened in between.
 */
export interface LatencyCounts {
  readonly count: number;
  readonly sumMs: number;
  /** How many fell into each bucket of {@link latencyBoundsMs}, the last of all above its end; empty if none did. */
  readonly buckets: readonly number[];
}

/** Within each power of ten: no bucket is wider than a seventh of where it begins, and round numbers end one. */
const steps = [1, 1.1, 1.25, 1.4, 1.6, 1.8, 2, 2.25, 2.5, 2.8, 3.2, 3.6, 4, 4.5, 5, 5.6, 6.3, 7, 8, 9] as const;
const decadesMs = [0.1, 1, 10, 100, 1_000, 10_000] as const;

/**
 * Where buckets end, in milliseconds, each end being in its bucket: 0.1 ms to 100 s. A quantile that is read off them is off by
 * a seventh at most, between those two.
 */
export const latencyBoundsMs: readonly number[] = [
  ...decadesMs.flatMap((decade) => steps.map((step) => Number((decade * step).toPrecision(3)))),
  100_000,
];

const bounds = Float64Array.from(latencyBoundsMs);

export const noLatencies: LatencyCounts = { count: 0, sumMs: 0, buckets: [] };

/** The number of the bucket that a time falls into. */
export function latencyBucket(ms: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ms <= bounds[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Counts times. One note costs two additions. */
export class LatencyHistogram {
  readonly #buckets = new Float64Array(bounds.length + 1);
  #count = 0;
  #sumMs = 0;

  /** `bucket`: of this time; known already where it is noted in several. */
  note(ms: number, bucket: number): void {
    this.#buckets[bucket]! += 1;
    this.#count += 1;
    this.#sumMs += ms;
  }

  add(counts: LatencyCounts): void {
    this.#count += counts.count;
    this.#sumMs += counts.sumMs;
    const most = Math.min(counts.buckets.length, this.#buckets.length);
    for (let bucket = 0; bucket < most; bucket++) this.#buckets[bucket]! += counts.buckets[bucket]!;
  }

  get counts(): LatencyCounts {
    if (this.#count === 0) return noLatencies;
    const buckets = new Array<number>(this.#buckets.length);
    for (let at = 0; at < buckets.length; at++) buckets[at] = this.#buckets[at]!;
    return { count: this.#count, sumMs: this.#sumMs, buckets };
  }
}

export function addedLatencies(one: LatencyCounts, other: LatencyCounts): LatencyCounts {
  return combined(one, other, 1);
}

/** What was noted since `before`. */
export function latenciesSince(before: LatencyCounts, now: LatencyCounts): LatencyCounts {
  return combined(now, before, -1);
}

function combined(one: LatencyCounts, other: LatencyCounts, sign: 1 | -1): LatencyCounts {
  if (other.count === 0) return one;
  const count = one.count + sign * other.count;
  if (count === 0) return noLatencies;
  const length = Math.max(one.buckets.length, other.buckets.length);
  const buckets = Array.from({ length }, (_, at) => (one.buckets[at] ?? 0) + sign * (other.buckets[at] ?? 0));
  return { count, sumMs: one.sumMs + sign * other.sumMs, buckets };
}

/**
 * The time within which this share of them was, e.g. 0.95, in milliseconds; `null` if there are none. Within a bucket they are
 * taken to lie evenly. What is above the last bucket's beginning counts as that.
 */
export function latencyQuantile(counts: LatencyCounts, share: number): number | null {
  return latencyQuantiles(counts, [share])[0]!;
}

/** The same of several shares, the smallest first, in one pass. */
export function latencyQuantiles({ count, buckets }: LatencyCounts, shares: readonly number[]): (number | null)[] {
  if (count === 0) return shares.map(() => null);
  let [at, below] = [0, 0];
  return shares.map((share) => {
    const rank = share * count;
    while (at < buckets.length && (buckets[at] === 0 || below + buckets[at]! < rank)) below += buckets[at++]!;
    if (at >= buckets.length) return latencyBoundsMs.at(-1)!;
    const start = at === 0 ? 0 : latencyBoundsMs[at - 1]!;
    const end = latencyBoundsMs[at] ?? start;
    return start + (end - start) * Math.min(1, Math.max(0, (rank - below) / buckets[at]!));
  });
}
