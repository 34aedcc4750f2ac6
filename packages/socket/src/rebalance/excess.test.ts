import fc from "fast-check";
import { expect, test } from "vitest";
import { excessSessions } from "./excess.ts";

test("what is above the mean is too much", () => {
  expect(excessSessions(30, [0, 0])).toBe(20);
  expect(excessSessions(1_000, [1_000, 1_000, 0])).toBe(250);
});

test("small differences are left alone", () => {
  expect(excessSessions(3, [1])).toBe(0);
  expect(excessSessions(104, [100, 100])).toBe(0);
});

test("alone, or with less than the others, there is nothing to move", () => {
  expect(excessSessions(50, [])).toBe(0);
  expect(excessSessions(5, [50, 50])).toBe(0);
});

test("nobody falls below the mean by moving", () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.array(fc.nat(10_000)), (own, others) => {
      const mean = (own + others.reduce((sum, count) => sum + count, 0)) / (others.length + 1);
      const excess = excessSessions(own, others);
      expect(excess === 0 || own - excess >= mean).toBe(true);
    }),
  );
});
