import { expect, test } from "vitest";
import { fakeCandidates } from "../../test/support/fake-candidate.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import { WeightedSampler } from "./weighted-sampler.ts";

/** Pearson's statistic; its mean is the number of classes less one, its variance twice that. */
function chiSquare(counts: readonly number[], weights: readonly number[]): number {
  const draws = counts.reduce((sum, count) => sum + count, 0);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return counts.reduce((sum, count, at) => {
    const expected = (draws * weights[at]!) / total;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}

function drawn(weights: readonly number[], draws: number, excluded: readonly number[] = []): number[] {
  const candidates = fakeCandidates(weights);
  const sampler = new WeightedSampler(candidates, seededRandom(4242));
  const exclude = new Set(excluded.map((slot) => candidates[slot]!.endpoint));
  const counts = weights.map(() => 0);
  for (let draw = 0; draw < draws; draw += 1) {
    counts[sampler.draw(excluded.length === 0 ? undefined : exclude)]! += 1;
  }
  return counts;
}

test.each([[[1, 1, 1, 1, 1]], [[1, 2, 3, 4, 5]], [[100, 1, 1, 50, 0.5]], [[0.1, 0.2, 0.3, 0.4, 1 / 3]]])(
  "draws in proportion to weights %j",
  (weights) => {
    // With 4 degrees of freedom a statistic over 23.5 has a probability of 1 in 10,000.
    expect(chiSquare(drawn(weights, 50_000), weights)).toBeLessThan(23.5);
  },
);

test("draws among the others in proportion to their weights, also when nearly everything is excluded", () => {
  const few = drawn([1, 2, 3, 4, 5], 50_000, [4]);
  expect(few[4]).toBe(0);
  expect(chiSquare(few.slice(0, 4), [1, 2, 3, 4])).toBeLessThan(21.1);
  // 99.97 % of the weight is excluded, so draws alone would hardly ever do.
  const most = drawn([1, 2, 10_000], 30_000, [2]);
  expect(most[2]).toBe(0);
  expect(chiSquare(most.slice(0, 2), [1, 2])).toBeLessThan(15.1);
});

test("an alias table over 10,000 uneven weights gives each its probability", () => {
  const weights = Array.from({ length: 10_000 }, (_, slot) => 1 + (slot % 100));
  const counts = drawn(weights, 1_000_000);
  // Summed by class of weight: 100 classes of 100 endpoints; 5 standard deviations over the mean of 99.
  const byClass = new Array<number>(100).fill(0);
  for (const [slot, count] of counts.entries()) byClass[slot % 100]! += count;
  const classWeights = byClass.map((_, at) => at + 1);
  expect(chiSquare(byClass, classWeights)).toBeLessThan(99 + 5 * Math.sqrt(2 * 99));
});
