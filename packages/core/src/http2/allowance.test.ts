import { expect, test } from "vitest";
import { Allowance } from "./allowance.ts";

test("a burst is allowed at once, and then so many a second", () => {
  const allowance = new Allowance({ burst: 3, perSecond: 2 }, 0);
  expect([0, 0, 0, 0].map((now) => allowance.take(now))).toEqual([true, true, true, false]);
  expect([499, 500, 500, 1_000].map((now) => allowance.take(now))).toEqual([false, true, false, true]);
});

test("who has done nothing for long has saved no more than a burst", () => {
  const allowance = new Allowance({ burst: 2, perSecond: 1_000 }, 0);
  expect([60_000, 60_000, 60_000].map((now) => allowance.take(now))).toEqual([true, true, false]);
});
