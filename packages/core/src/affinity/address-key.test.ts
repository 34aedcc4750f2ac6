import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, test } from "vitest";
import { addressKey, isWithin } from "./address-key.ts";

const runs = { seed: 20_240_606, numRuns: 500 } as const;
const all = { ipv4PrefixLength: 32, ipv6PrefixLength: 128 };

/** Two addresses that share some of their first bits. */
function neighbours(bits: number) {
  const bytes = fc.uint8Array({ minLength: bits / 8, maxLength: bits / 8 });
  return fc.tuple(bytes, bytes, fc.integer({ min: 0, max: bits })).map(([a, b, shared]) => {
    const mixed = b.map((byte, index) => {
      const mask = (0xff00 >> Math.min(8, Math.max(0, shared - index * 8))) & 0xff;
      return (a[index]! & mask) | (byte & ~mask);
    });
    return [ipaddr.fromByteArray([...a]), ipaddr.fromByteArray([...mixed])] as const;
  });
}

describe("two addresses have one key exactly if their prefixes are the same (against ipaddr.js)", () => {
  test("IPv4", () => {
    fc.assert(
      fc.property(neighbours(32), fc.integer({ min: 1, max: 32 }), ([a, b], length) => {
        const settings = { ...all, ipv4PrefixLength: length };
        const same = addressKey(a.toString(), settings) === addressKey(b.toString(), settings);
        expect(same).toBe(a.match(b, length));
      }),
      runs,
    );
  });

  test("IPv6, in any spelling", () => {
    const spellings = fc.constantFrom(
      (address: ipaddr.IPv6) => address.toRFC5952String(),
      (address: ipaddr.IPv6) => address.toNormalizedString(),
      (address: ipaddr.IPv6) => address.toNormalizedString().toUpperCase(),
    );
    const words = fc.tuple(neighbours(128), fc.integer({ min: 1, max: 128 }), spellings, spellings);
    fc.assert(
      fc.property(words, ([[a, b], length, first, second]) => {
        const settings = { ...all, ipv6PrefixLength: length };
        const [left, right] = [first(a as ipaddr.IPv6), second(b as ipaddr.IPv6)];
        expect(addressKey(left, settings) === addressKey(right, settings)).toBe(a.match(b, length));
      }),
      runs,
    );
  });

  test("IPv6 as people and tools write it", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        // Node's URL parser reads all forms; ipaddr.js takes ::1.2.3.4 for ::ffff:1.2.3.4.
        const plain = new URL(`http://[${text}]`).hostname.slice(1, -1);
        expect(addressKey(text, all)).toBe(addressKey(plain, all));
        expect(addressKey(`${text}%eth0`, all)).toBe(addressKey(plain, all));
        expect(addressKey(text.toUpperCase(), all)).toBe(addressKey(plain, all));
      }),
      runs,
    );
  });
});

test.each([
  "",
  "localhost",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.256",
  "1..2.3",
  "1.2.3.4a",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7::8",
  "1:2:3:4:5:6:7:",
  ":1:2:3:4:5:6:7",
  "12345::",
  "g::",
  "::1.2.3",
  "1:2:3:4:5:6:7:1.2.3.4",
  "::1.2.3.4:5",
])("%j is no address, hence its own key", (text) => {
  expect(ipaddr.IPv6.isValid(text) || ipaddr.IPv4.isValidFourPartDecimal(text)).toBe(false);
  expect(addressKey(text, { ipv4PrefixLength: 8, ipv6PrefixLength: 8 })).toBe(text);
});

test("any text has a key, which does not depend on what was asked before", () => {
  const texts = fc.string({ unit: fc.constantFrom(..."0123456789abcdef:::...%g"), maxLength: 60 });
  const settings = { ipv4PrefixLength: 24, ipv6PrefixLength: 64 };
  fc.assert(
    fc.property(texts, fc.ipV6(), (text, other) => {
      const key = addressKey(text, settings);
      addressKey(other, settings);
      expect(addressKey(text, settings)).toBe(key);
    }),
    runs,
  );
});

test.each([
  ["10.1.2.3", "10.0.0.0", 8, true],
  ["11.1.2.3", "10.0.0.0", 8, false],
  ["10.1.2.3", "10.1.2.3", 32, true],
  ["10.1.2.4", "10.1.2.3", 32, false],
  ["2001:db8::7", "2001:db8::", 32, true],
  ["2001:DB8:0::7", "2001:db8::7", 128, true],
  ["2001:db9::7", "2001:db8::", 32, false],
  ["10.1.2.3", "::", 1, false],
  ["::1", "0.0.0.0", 1, false],
  ["", "10.0.0.0", 8, false],
])("%s in %s/%d: %s", (address, first, prefixLength, is) => {
  expect(isWithin(address, { address: first, prefixLength })).toBe(is);
});
