import { expect, test } from "vitest";
import { History, type Span } from "./history.ts";
import { LatencyHistogram, latencyBucket, latencyQuantile } from "./latency-histogram.ts";

function second(at: number, of: Partial<Span> = {}): Span {
  const histogram = new LatencyHistogram();
  histogram.note(at, latencyBucket(at));
  return {
    at,
    ms: 1_000,
    requests: 10,
    failures: 1,
    clientErrors: 2,
    bytesIn: 3,
    bytesOut: 4,
    latency: histogram.counts,
    inFlight: at,
    waiting: 0,
    connections: 5,
    cpu: 1,
    rssBytes: 6,
    loopLagMs: at % 7,
    ...of,
  };
}

test("the last seconds are known each, older ones in tens and minutes", () => {
  const history = new History();
  for (let at = 1; at <= 4_000; at++) history.add(second(at));
  expect(history.last(60_000).map(({ at }) => at)).toEqual(Array.from({ length: 60 }, (_, n) => 3_941 + n));
  const hour = history.last(3_600_000);
  expect([hour.length, hour.at(-1)!.at, hour.at(-1)!.requests]).toEqual([360, 4_000, 100]);
  const day = history.last(86_400_000);
  expect([day.length, day.at(-1)!.at, day[0]!.requests]).toEqual([66, 3_960, 600]);
});

test("no more is kept than a day takes", () => {
  const history = new History([
    { ms: 1_000, kept: 3 },
    { ms: 2_000, kept: 2 },
  ]);
  for (let at = 1; at <= 100; at++) history.add(second(at));
  expect(history.last(3_000).map(({ at }) => at)).toEqual([98, 99, 100]);
  expect(history.last(1_000_000).map(({ at }) => at)).toEqual([98, 100]);
});

test("several spans as one: sums, quantiles over all, the worst lag, what was last, processors on average", () => {
  const history = new History();
  history.add(second(1, { cpu: 1, loopLagMs: 50 }));
  history.add(second(2, { cpu: 3, ms: 3_000 }));
  const all = history.over(10_000)!;
  expect(all).toMatchObject({ at: 2, ms: 4_000, requests: 20, failures: 2, inFlight: 2, cpu: 2.5, loopLagMs: 50 });
  expect(latencyQuantile(all.latency, 0.5)).toBeCloseTo(1, 0);
  expect(new History().over(1_000)).toBeUndefined();
});

test("spans that come a little early do not make one in three of the next level's", () => {
  const history = new History();
  for (let at = 1; at <= 100; at++) history.add(second(at, { ms: 990 }));
  expect(history.last(3_600_000)).toHaveLength(10);
});
