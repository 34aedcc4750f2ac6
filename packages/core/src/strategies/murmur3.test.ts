import { expect, test } from "vitest";
import { mix32, murmur3 } from "./murmur3.ts";

// Vectors of the reference implementation for the same bytes in UTF-16LE.
test.each([
  ["", 0, 0],
  ["", 1, 0x514e28b7],
  ["", 0xffffffff, 0x81f16f39],
  ["\0", 0, 0x30f4c306],
  ["\0\0", 0, 0x2362f9de],
  ["\u4321", 0, 0xa0f7b07a],
  ["\u4321\u8765", 0, 0xf55b516b],
  ["\u4321\u8765", 0x5082edee, 0x2362f9de],
  ["\uffff\uffff", 0, 0x76293b50],
])("murmur3(%j, %d)", (text, seed, hash) => {
  expect(murmur3(text, seed)).toBe(hash);
});

test("addresses that differ in one digit land evenly in 64 buckets", () => {
  const buckets = new Array<number>(64).fill(0);
  for (let a = 0; a < 256; a += 1) {
    for (let b = 0; b < 256; b += 1) buckets[murmur3(`10.0.${a}.${b}`) >>> 26]! += 1;
  }
  const expected = 65_536 / 64;
  const statistic = buckets.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 63 degrees of freedom: five standard deviations over the mean.
  expect(statistic).toBeLessThan(63 + 5 * Math.sqrt(126));
});

test("mix32 is a bijection with avalanche", () => {
  const seen = new Set<number>();
  let flipped = 0;
  for (let value = 0; value < 4_096; value += 1) {
    seen.add(mix32(value));
    for (let bit = 0; bit < 32; bit += 1) {
      let difference = mix32(value) ^ mix32(value ^ (1 << bit));
      for (; difference !== 0; difference &= difference - 1) flipped += 1;
    }
  }
  expect(seen.size).toBe(4_096);
  expect(flipped / (4_096 * 32)).toBeCloseTo(16, 0);
});
