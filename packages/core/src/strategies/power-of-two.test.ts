import { expect, test } from "vitest";
import { equalCandidates, type FakeCandidate, fakeCandidates } from "../../test/support/fake-candidate.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import { powerOfTwo } from "./power-of-two.ts";
import { random } from "./random.ts";
import type { Strategy } from "./strategy.ts";

test("of two endpoints, always the one with less in flight per weight", () => {
  const [a, b] = fakeCandidates([1, 4]);
  const picker = powerOfTwo({ random: seededRandom(1) }).picker([a, b!]);
  a.inFlight = 2;
  b!.inFlight = 7;
  for (let at = 0; at < 50; at += 1) expect(picker.pick({})).toBe(b);
  b!.inFlight = 9;
  for (let at = 0; at < 50; at += 1) expect(picker.pick({})).toBe(a);
});

test("never the busiest, since it always meets another", () => {
  const candidates = equalCandidates(20);
  candidates[7]!.inFlight = 1;
  const picker = powerOfTwo({ random: seededRandom(2) }).picker(candidates);
  for (let at = 0; at < 2_000; at += 1) expect(picker.pick({})).not.toBe(candidates[7]);
});

test("an idle group shares by weight", () => {
  const candidates = fakeCandidates([1, 3]);
  const picker = powerOfTwo({ random: seededRandom(3) }).picker(candidates);
  let heavy = 0;
  for (let at = 0; at < 10_000; at += 1) if (picker.pick({}) === candidates[1]) heavy += 1;
  // Five standard deviations.
  expect(Math.abs(heavy - 7_500)).toBeLessThan(5 * Math.sqrt(10_000 * 0.75 * 0.25));
});

test("a weight that dwarfs the others does not stop the second choice", () => {
  const candidates = fakeCandidates([1, 1, 1e9]);
  candidates[2]!.inFlight = 2e9;
  const picker = powerOfTwo({ random: seededRandom(4) }).picker(candidates);
  for (let at = 0; at < 100; at += 1) expect(picker.pick({})).not.toBe(candidates[2]);
});

test("10,000 leases on 1,000 endpoints: the longest queue exceeds the mean by a few, at random by many", () => {
  const longestQueue = (strategy: Strategy) => {
    const candidates = equalCandidates(1_000);
    const picker = strategy.picker(candidates);
    for (let at = 0; at < 10_000; at += 1) (picker.pick({}) as FakeCandidate).inFlight += 1;
    return Math.max(...candidates.map(({ inFlight }) => inFlight));
  };
  // Mean 10. Two choices: 10 + log2 log2 n + O(1) (Berenbrink et al., 2000). One: 10 + sqrt(2 · 10 · ln n) ≈ 21.
  expect(longestQueue(powerOfTwo({ random: seededRandom(5) }))).toBeLessThanOrEqual(14);
  expect(longestQueue(random({ random: seededRandom(5) }))).toBeGreaterThanOrEqual(18);
});
