import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomSecret, SlotTokens, tokenLength } from "./slot-tokens.ts";

const tokens = new SlotTokens(["the first secret", "the secret before it"], "test");
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const runs = { seed: 20_240_604, numRuns: 300 } as const;

describe("a token", () => {
  test("gives back what was put in, for any two numbers", () => {
    fc.assert(
      fc.property(uint32, uint32, (slot, qualifier) => {
        const text = tokens.issue(slot, qualifier);
        expect(text).toHaveLength(tokenLength);
        expect(text).toMatch(/^[\w-]+$/);
        expect(tokens.read(text)).toEqual({ slot, qualifier, current: true, text });
      }),
      runs,
    );
  });

  test("is the same for the same numbers, and all different for others", () => {
    expect(tokens.issue(3, 9)).toBe(tokens.issue(3, 9));
    const near = [tokens.issue(3, 9), tokens.issue(3, 8), tokens.issue(2, 9), tokens.issue(9, 3)];
    expect(new Set(near).size).toBe(4);
    // Neighbouring numbers share no beginning or end that would tell of them.
    for (const [index, text] of near.entries()) {
      for (const other of near.slice(index + 1)) {
        expect(text.slice(0, 6)).not.toBe(other.slice(0, 6));
        expect(text.slice(-4)).not.toBe(other.slice(-4));
      }
    }
  });

  test("shows neither number, in any of the ways numbers are written", () => {
    const bytes = Buffer.from(tokens.issue(0x01020304, 0x05060708), "base64url");
    expect(bytes.includes(Buffer.from([1, 2, 3, 4]))).toBe(false);
    expect(bytes.includes(Buffer.from([5, 6, 7, 8]))).toBe(false);
    // Of slots 0 to 999 the encrypted numbers are as good as random: each bit is set in about half of them.
    const counts = new Array<number>(64).fill(0);
    for (let slot = 0; slot < 1_000; slot++) {
      const sealed = Buffer.from(tokens.issue(slot, 0), "base64url").readBigUInt64BE(16);
      for (let bit = 0; bit < 64; bit++) counts[bit]! += Number((sealed >> BigInt(bit)) & 1n);
    }
    for (const count of counts) expect(Math.abs(count - 500)).toBeLessThan(90);
  });

  test("changed in any one character is none of ours", () => {
    const text = tokens.issue(1, 1_000_000);
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (let at = 0; at < text.length; at++) {
      for (const char of alphabet) {
        if (char === text[at]) continue;
        expect(tokens.read(text.slice(0, at) + char + text.slice(at + 1))).toBeUndefined();
      }
    }
  });

  test("has one spelling only", () => {
    // Among so many, some hold a `-` and some a `_`, which base64 proper writes `+` and `/`.
    const spelled = Array.from({ length: 40 }, (_, slot) => tokens.issue(slot, 1));
    expect(spelled.join("")).toMatch(/-.*_|_.*-/);
    for (const text of spelled) {
      const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
      if (base64 !== text) expect(tokens.read(base64)).toBeUndefined();
      expect(tokens.read(`${text.slice(0, -1)}=`)).toBeUndefined();
      expect(tokens.read(` ${text.slice(1)}`)).toBeUndefined();
    }
  });
});

describe("nothing else is accepted, and nothing throws", () => {
  test("random texts of a token's length", () => {
    const alphabet = fc.constantFrom(..."ABCXYZabcxyz0189-_");
    const texts = fc.string({ unit: alphabet, minLength: tokenLength, maxLength: tokenLength });
    fc.assert(
      fc.property(texts, (text) => {
        expect(tokens.read(text)).toBeUndefined();
      }),
      runs,
    );
  });

  test("any text at all", () => {
    const units = fc.uint16Array({ minLength: 20, maxLength: 40 }).map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(fc.oneof(units, fc.string({ minLength: 30, maxLength: 34 })), (text) => {
        expect(tokens.read(text)).toBeUndefined();
      }),
      runs,
    );
  });

  test("what another secret, or another purpose, has made", () => {
    expect(tokens.read(new SlotTokens(["another secret here"], "test").issue(1, 1))).toBeUndefined();
    expect(tokens.read(new SlotTokens(["the first secret"], "other").issue(1, 1))).toBeUndefined();
  });
});

describe("rotation", () => {
  const before = new SlotTokens(["the secret before it"], "test");
  const after = new SlotTokens(["the next one of them", "the first secret"], "test");

  test("reads what an older secret issued, and says so", () => {
    expect(tokens.read(before.issue(5, 6))).toMatchObject({ slot: 5, qualifier: 6, current: false });
    expect(after.read(tokens.issue(5, 6))).toMatchObject({ slot: 5, qualifier: 6, current: false });
  });

  test("issues with the first, so that it is read wherever that is known", () => {
    expect(tokens.issue(5, 6)).toBe(new SlotTokens(["the first secret"], "test").issue(5, 6));
    expect(after.read(after.issue(5, 6))).toMatchObject({ current: true });
  });

  test("no longer reads what a removed secret issued", () => {
    expect(after.read(before.issue(5, 6))).toBeUndefined();
  });
});

test("a random secret has 256 bits and is not repeated", () => {
  expect(Buffer.from(randomSecret(), "base64url")).toHaveLength(32);
  expect(randomSecret()).not.toBe(randomSecret());
});
