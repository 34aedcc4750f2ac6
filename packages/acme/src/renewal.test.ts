import { expect, test } from "vitest";
import { renewalBy, renewalWithin, retryDelay } from "./renewal.ts";

const day = 86_400_000;
const [minute, hour] = [60_000, 3_600_000];

test.each([90, 47, 6])(
  "a certificate of %d days is renewed at two thirds of them, and at most a fiftieth later",
  (days) => {
    const lifetime = { notBefore: 0, notAfter: days * day };
    expect(renewalBy(lifetime, 0)).toBe((days * day * 2) / 3);
    expect(renewalBy(lifetime, 0.999)).toBeLessThan((days * day * 2) / 3 + (days * day) / 50);
    // One of six days has time for eight attempts six hours apart.
    expect(days * day - renewalBy(lifetime, 0.999)).toBeGreaterThan(8 * 6 * hour * 0.9);
  },
);

test("an authority's window is used from its beginning to its end", () => {
  const window = { start: 100 * day, end: 102 * day };
  expect([0, 0.5, 1].map((drawn) => renewalWithin(window, drawn))).toEqual([100 * day, 101 * day, 102 * day]);
});

test("attempts come less and less often, and never more than the authority allows", () => {
  expect([1, 2, 3, 4, 5, 6, 50].map((attempts) => retryDelay(attempts, 0) / minute)).toEqual([
    1, 4, 16, 64, 256, 360, 360,
  ]);
  expect(retryDelay(1, 0.5)).toBe(minute * 1.125);
  expect(retryDelay(1, 0, 2 * hour)).toBe(2 * hour);
  expect(retryDelay(6, 0, minute)).toBe(6 * hour);
  expect(retryDelay(1, 0, 10 ** 12)).toBe(7 * day);
});
