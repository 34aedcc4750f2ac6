import fc from "fast-check";
import { expect, test } from "vitest";
import { equalCandidates, FakeCandidate, fakeCandidates, nonEmpty } from "../../test/support/fake-candidate.ts";
import { roundRobin } from "./round-robin.ts";
import type { Picker } from "./strategy.ts";

const slots = (picker: Picker, picks: number) => Array.from({ length: picks }, () => picker.pick({}).endpoint.slot);

test("goes round in the order of slots, whatever the order of the list and the weights", () => {
  const [a, b, c] = fakeCandidates([1, 9, 4]);
  expect(slots(roundRobin().picker([c!, a, b!]), 7)).toEqual([0, 1, 2, 0, 1, 2, 0]);
});

test("counts never differ by more than one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 300 }), (size, picks) => {
      const counts = new Array<number>(size).fill(0);
      for (const slot of slots(roundRobin().picker(equalCandidates(size)), picks)) counts[slot]! += 1;
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }),
    { seed: 7, numRuns: 100 },
  );
});

test("goes on with the next slot when the roster changes", () => {
  const all = equalCandidates(4);
  const strategy = roundRobin();
  expect(slots(strategy.picker(all), 2)).toEqual([0, 1]);
  // The endpoint whose turn it is leaves: the one after it is next.
  expect(slots(strategy.picker(nonEmpty([all[0], all[1]!, all[3]!])), 1)).toEqual([3]);
  expect(slots(strategy.picker(all), 3)).toEqual([0, 1, 2]);
  // Its successor in the slot takes the turn.
  const restarted = new FakeCandidate({ slot: 3, incarnation: 2 });
  expect(slots(strategy.picker([all[0], all[1]!, all[2]!, restarted]), 2)).toEqual([3, 0]);
});

test("an excluded endpoint is passed over", () => {
  const [a, b, c] = equalCandidates(3);
  const picker = roundRobin().picker([a, b!, c!]);
  expect(picker.pick({}, new Set([a.endpoint, b!.endpoint]))).toBe(c);
  expect(picker.pick({})).toBe(a);
});
