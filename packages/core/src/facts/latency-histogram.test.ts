import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addedLatencies,
  LatencyHistogram,
  latenciesSince,
  latencyBoundsMs,
  latencyBucket,
  latencyQuantile,
  latencyQuantiles,
  noLatencies,
} from "./latency-histogram.ts";

function counted(times: readonly number[]) {
  const histogram = new LatencyHistogram();
  for (const ms of times) histogram.note(ms, latencyBucket(ms));
  return histogram.counts;
}

test("buckets end where people look: 1, 2.5, 5, 10 … of each power of ten", () => {
  for (const decade of [1, 10, 100, 1_000]) {
    for (const step of [1, 2.5, 5]) expect(latencyBoundsMs).toContain(decade * step);
  }
  expect([latencyBoundsMs[0], latencyBoundsMs.at(-1)]).toEqual([0.1, 100_000]);
});

test("no bucket is wider than a seventh of where it begins", () => {
  for (const [at, end] of latencyBoundsMs.entries()) {
    if (at > 0) expect(end / latencyBoundsMs[at - 1]!).toBeLessThanOrEqual(8 / 7 + 1e-9);
  }
});

test("a time falls into the bucket that ends with it, or after it", () => {
  expect(latencyBucket(0)).toBe(0);
  expect(latencyBucket(100_000)).toBe(latencyBoundsMs.length - 1);
  expect(latencyBucket(100_001)).toBe(latencyBoundsMs.length);
  for (const [at, end] of latencyBoundsMs.entries()) expect(latencyBucket(end)).toBe(at);
});

const someTimes = fc.array(fc.double({ min: 0.1, minExcluded: true, max: 100_000, noNaN: true }), {
  minLength: 1,
  maxLength: 200,
});

test("a quantile is off by a seventh at most", () => {
  fc.assert(
    fc.property(someTimes, fc.constantFrom(0.5, 0.9, 0.95, 0.99, 1), (times, share) => {
      const sorted = times.toSorted((one, other) => one - other);
      const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
      const read = latencyQuantile(counted(times), share)!;
      expect(read).toBeLessThanOrEqual((exact * 8) / 7 + 1e-9);
      expect(read).toBeGreaterThanOrEqual((exact * 7) / 8 - 1e-9);
    }),
  );
});

test("several quantiles are those of each", () => {
  const shares = [0.1, 0.5, 0.5, 0.95, 0.99, 1];
  fc.assert(
    fc.property(someTimes, (times) => {
      const counts = counted(times);
      expect(latencyQuantiles(counts, shares)).toEqual(shares.map((share) => latencyQuantile(counts, share)));
    }),
  );
});

test("what two have counted is what one would have, and the difference gives either back", () => {
  fc.assert(
    fc.property(someTimes, someTimes, (early, late) => {
      const [before, after, all] = [counted(early), counted(late), counted([...early, ...late])];
      const sum = addedLatencies(before, after);
      expect({ ...sum, sumMs: 0 }).toEqual({ ...all, sumMs: 0 });
      expect(sum.sumMs).toBeCloseTo(all.sumMs, 3);
      expect(latenciesSince(before, all).buckets).toEqual(after.buckets);
      const merged = new LatencyHistogram();
      merged.add(before);
      merged.add(after);
      expect(merged.counts.buckets).toEqual(all.buckets);
    }),
  );
});

test("nothing counted has no quantiles, and changes no sum", () => {
  expect(latencyQuantile(noLatencies, 0.5)).toBeNull();
  const some = counted([5]);
  expect(addedLatencies(some, noLatencies)).toEqual(some);
  expect(latenciesSince(some, some)).toEqual(noLatencies);
});
