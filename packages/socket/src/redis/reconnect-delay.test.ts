import { expect, test } from "vitest";
import { reconnectDelayMs } from "./reconnect-delay.ts";

test("doubles up to two seconds and never grows beyond", () => {
  const latest = () => 1;
  expect([1, 2, 3, 4, 5, 6, 7, 1_000].map((attempts) => reconnectDelayMs(attempts, latest))).toEqual([
    100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000,
  ]);
});

test("half of it is spread at random", () => {
  expect(reconnectDelayMs(6, () => 0)).toBe(1_000);
  expect(reconnectDelayMs(6, () => 0.5)).toBe(1_500);
});
