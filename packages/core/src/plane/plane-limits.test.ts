import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { PlaneInFlight, PlaneRates } from "./plane-limits.ts";

test("every limit of requests in flight is told as it is now", () => {
  const limits = new PlaneInFlight({ clock: new ManualClock(), tell: () => {} });
  const queue = { maxWaiting: 10, maxWaitMs: 1_000 };
  expect(limits.limit({ queue })).toBeUndefined();
  const one = limits.limit({ queue, maxRequestsInFlight: 1 }, { route: "api" })!;
  limits.limit({ queue, maxRequestsInFlight: { min: 1, max: 100, initial: 20, tolerance: 1.5 } });
  one.take();
  one.wait({ enter: () => {}, refuse: () => {} });
  expect(limits.all).toEqual([
    { route: "api", limit: 1, adaptive: false, inFlight: 1, waiting: 1 },
    { limit: 20, adaptive: true, inFlight: 0, waiting: 0 },
  ]);
});

test("limits that are as they were go on with what they have counted, others begin", () => {
  const parts = { clock: new ManualClock(), tell: () => {} };
  const rate = {
    points: 1,
    windowMs: 1_000,
    burst: 0,
    key: "address" as const,
    heldBeyond: 9,
    statusCode: 429,
    headers: false,
    dryRun: false,
  };
  const rates = new PlaneRates(parts);
  const [all, api] = [rates.limit(rate), rates.limit(rate, "api")];
  const next = new PlaneRates(parts, rates);
  expect(next.limit({ ...rate })).toBe(all);
  expect(next.limit({ ...rate, points: 2 }, "api")).not.toBe(api);
  expect(next.limit(false, "other")).toBeUndefined();
});

test("a limit of requests in flight that is another keeps those that it has", () => {
  const parts = { clock: new ManualClock(), tell: () => {} };
  const queue = { maxWaiting: 10, maxWaitMs: 1_000 };
  const limits = new PlaneInFlight(parts);
  const one = limits.limit({ queue, maxRequestsInFlight: 1 }, { route: "api" })!;
  one.take();
  const next = new PlaneInFlight(parts, limits);
  expect(next.limit({ queue, maxRequestsInFlight: 2 }, { route: "api" })).toBe(one);
  expect(next.all).toEqual([{ route: "api", limit: 2, adaptive: false, inFlight: 1, waiting: 0 }]);
});
