import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { equalCandidates, fakeCandidates, nonEmpty } from "../../test/support/fake-candidate.ts";
import type { Picker } from "./strategy.ts";
import { weightedRoundRobin } from "./weighted-round-robin.ts";

const slots = (picker: Picker, picks: number) => Array.from({ length: picks }, () => picker.pick({}).endpoint.slot);

const anyWeights = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 2, maxLength: 20 }),
  fc.array(fc.double({ min: 0.01, max: 1000, noNaN: true }), { minLength: 2, maxLength: 20 }),
);

describe("the order of turns", () => {
  test("5, 1, 1 is spread as nginx spreads it", () => {
    const picker = weightedRoundRobin().picker(fakeCandidates([5, 1, 1]));
    const round = [0, 0, 1, 0, 2, 0, 0];
    expect(slots(picker, 14)).toEqual([...round, ...round]);
  });

  test("equal weights rotate perfectly, whatever the weight is", () => {
    for (const weight of [1, 0.1, 1 / 3, 7]) {
      for (const size of [2, 3, 4, 7, 10]) {
        const rotation = Array.from({ length: size }, (_, slot) => slot);
        const picker = weightedRoundRobin().picker(fakeCandidates(rotation.map(() => weight)));
        for (let round = 0; round < 200; round += 1) expect(slots(picker, size)).toEqual(rotation);
      }
    }
  });

  test("100 beside a hundred 1s alternates: no burst", () => {
    const picker = weightedRoundRobin().picker(fakeCandidates([100, ...new Array<number>(100).fill(1)]));
    const turns = slots(picker, 1_000);
    expect(turns.filter((slot) => slot === 0)).toHaveLength(500);
    for (let at = 2; at < turns.length; at += 1) expect(turns.slice(at - 2, at + 1)).not.toEqual([0, 0, 0]);
  });
});

describe("Tijdeman's bound", () => {
  test("after every pick, each count is within 1 - 1/(2n-2) of its part", () => {
    fc.assert(
      fc.property(anyWeights, (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const bound = 1 - 1 / (2 * weights.length - 2) + 1e-6;
        const picker = weightedRoundRobin().picker(fakeCandidates(weights));
        const counts = weights.map(() => 0);
        let worst = 0;
        for (let turn = 1; turn <= 500; turn += 1) {
          counts[picker.pick({}).endpoint.slot]! += 1;
          for (const [slot, count] of counts.entries()) {
            worst = Math.max(worst, Math.abs(count - (turn * weights[slot]!) / total));
          }
        }
        expect(worst).toBeLessThanOrEqual(bound);
      }),
      { seed: 99, numRuns: 150 },
    );
  });

  test("holds after three million picks: nothing drifts", () => {
    const weights = [0.1, 0.2, 0.7, 1 / 3];
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const picker = weightedRoundRobin().picker(fakeCandidates(weights));
    const counts = weights.map(() => 0);
    const picks = 3_000_000;
    for (let turn = 0; turn < picks; turn += 1) counts[picker.pick({}).endpoint.slot]! += 1;
    for (const [slot, count] of counts.entries()) {
      expect(Math.abs(count - (picks * weights[slot]!) / total)).toBeLessThan(1);
    }
  });
});

describe("a change of the roster", () => {
  test("does not start the rotation anew: who was ahead waits", () => {
    const all = equalCandidates(3);
    const strategy = weightedRoundRobin();
    const turns: number[] = [];
    for (let change = 0; change < 30; change += 1) turns.push(...slots(strategy.picker(all), 1));
    expect(turns).toEqual(Array.from({ length: 30 }, (_, turn) => turn % 3));
  });

  test("shares stay fair over any sequence of them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 5, maxLength: 5 }),
        fc.array(fc.tuple(fc.subarray([0, 1, 2, 3, 4], { minLength: 1 }), fc.integer({ min: 0, max: 12 })), {
          minLength: 1,
          maxLength: 40,
        }),
        (weights, changes) => {
          const all = fakeCandidates(weights);
          const strategy = weightedRoundRobin();
          const owed = weights.map(() => 0);
          for (const [roster, picks] of changes) {
            const total = roster.reduce((sum, slot) => sum + weights[slot]!, 0);
            const picker = strategy.picker(nonEmpty(roster.map((slot) => all[slot]!)));
            for (const slot of slots(picker, picks)) owed[slot]! -= 1;
            for (const slot of roster) owed[slot]! += (picks * weights[slot]!) / total;
          }
          // What leavers were owed is spread over the others, at most one turn per change, in either direction.
          for (const turns of owed) expect(Math.abs(turns)).toBeLessThan(1 + changes.length);
        },
      ),
      { seed: 5, numRuns: 60 },
    );
  });
});

test("an excluded endpoint keeps what it is owed", () => {
  const [a, b] = equalCandidates(2);
  const picker = weightedRoundRobin().picker([a, b!]);
  const tried = new Set([a.endpoint]);
  for (let turn = 0; turn < 5; turn += 1) expect(picker.pick({}, tried)).toBe(b);
  expect(slots(picker, 5)).toEqual([0, 0, 0, 0, 0]);
});
