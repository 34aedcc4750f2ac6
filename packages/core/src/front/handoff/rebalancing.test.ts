import fc from "fast-check";
import { expect, it } from "vitest";
import { endpointsInSlots } from "../../../test/support/endpoints.ts";
import { planReturns } from "./rebalancing.ts";

const plan = (counts: readonly number[], budget: number) => {
  const endpoints = endpointsInSlots(counts.length);
  const connections = new Map(endpoints.map((endpoint, slot) => [endpoint, counts[slot]!]));
  return planReturns(connections, budget).map(({ endpoint, most }) => `${endpoint.slot}:${most}`);
};

it("has the fullest give to one that has just come, within the budget", () => {
  expect(plan([400, 300, 0], 50)).toEqual(["0:50"]);
  expect(plan([400, 300, 0], 1_000)).toEqual(["0:166", "1:66"]);
});

it("leaves alone what is about even, or too few to matter", () => {
  expect(plan([100, 95, 105], 50)).toEqual([]);
  expect(plan([1, 0], 50)).toEqual([]);
  expect(plan([0, 0], 50)).toEqual([]);
  expect(plan([7], 50)).toEqual([]);
});

it("never asks for more than the budget, nor for more than a worker has over the mean; and comes to an end", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(1_000), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 100 }),
      (start, budget) => {
        const counts = [...start];
        for (let round = 0; round < 10 + counts.reduce((sum, count) => sum + count, 0) / budget; round += 1) {
          const returns = plan(counts, budget).map((one) => one.split(":").map(Number) as [number, number]);
          if (returns.length === 0) return;
          expect(returns.reduce((sum, [, most]) => sum + most, 0)).toBeLessThanOrEqual(budget);
          for (const [slot, most] of returns) {
            counts[slot]! -= most;
            for (let n = 0; n < most; n += 1) counts[counts.indexOf(Math.min(...counts))]! += 1;
          }
        }
        expect.fail("It goes on for ever");
      },
    ),
  );
});
