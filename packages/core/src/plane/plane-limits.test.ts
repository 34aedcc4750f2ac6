import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { PlaneInFlight } from "./plane-limits.ts";

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
