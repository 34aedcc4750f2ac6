import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entryOf, MAX_TABLE_SIZE, maglevTable, tableSizeFor } from "./maglev-table.ts";
import { murmur3 } from "./murmur3.ts";

const nodes = (weights: readonly number[]) =>
  weights.map((weight, at) => ({ weight, high: murmur3(`node ${at}`, 1), low: murmur3(`node ${at}`, 2) }));

function shares(weights: readonly number[], size: number): number[] {
  const counts = weights.map(() => 0);
  for (const node of maglevTable(nodes(weights), size)) counts[node]! += 1;
  return counts;
}

test("equal nodes own equal numbers of entries, give or take one", () => {
  for (const count of [1, 2, 3, 7, 100, 1_000]) {
    const counts = shares(new Array<number>(count).fill(1), 65_537);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(counts.reduce((sum, entries) => sum + entries, 0)).toBe(65_537);
  }
});

test("any weights: entries in proportion, give or take two, and at least one each", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(1), fc.double({ min: 1e-6, max: 1e6, noNaN: true })), {
        minLength: 1,
        maxLength: 40,
      }),
      (weights) => {
        const size = 2_039;
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const counts = shares(weights, size);
        expect(counts.reduce((sum, entries) => sum + entries, 0)).toBe(size);
        // The first round gives each an entry that it may be too light for; the others have so many fewer.
        for (const [at, entries] of counts.entries()) {
          expect(entries).toBeGreaterThanOrEqual(1);
          const exact = (size * weights[at]!) / total;
          expect(entries).toBeLessThanOrEqual(exact + 2);
          expect(entries).toBeGreaterThanOrEqual(exact * (1 - weights.length / size) - 2);
        }
      },
    ),
    { seed: 12, numRuns: 200 },
  );
});

test("more than 65,536 nodes still have an entry each", () => {
  const counts = shares(new Array<number>(70_000).fill(1), 131_071);
  expect(Math.min(...counts)).toBe(1);
});

describe("tableSizeFor", () => {
  const isPrime = (value: number) => {
    for (let divisor = 2; divisor * divisor <= value; divisor += 1) if (value % divisor === 0) return false;
    return value > 1;
  };

  test.each([
    [1, 65_537],
    [1_024, 65_537],
    [1_025, 655_373],
    [10_240, 655_373],
    [10_241, MAX_TABLE_SIZE],
    [1_000_000, MAX_TABLE_SIZE],
  ])("%d nodes: %d entries, a prime", (count, size) => {
    expect(tableSizeFor(count)).toBe(size);
    expect(isPrime(size)).toBe(true);
  });
});

test("entryOf covers the whole table and nothing else", () => {
  for (const size of [2, 65_537, MAX_TABLE_SIZE]) {
    expect(entryOf(0, size)).toBe(0);
    expect(entryOf(0xffffffff, size)).toBe(size - 1);
    expect(entryOf(0x80000000, size)).toBe(Math.trunc(size / 2));
  }
});
