import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { rangeText } from "../model/address-range.ts";
import { readRange } from "../options/address-range.ts";
import { DenyList } from "./deny-list.ts";

const forGood = Number.POSITIVE_INFINITY;

function start(...ranges: readonly string[]) {
  const clock = new ManualClock();
  const list = new DenyList(clock, { maxRanges: 5 });
  const deny = (text: string, forMs = forGood) => list.set(readRange(text)!, forMs);
  for (const text of ranges) deny(text);
  const texts = () => list.all.map(({ range }) => rangeText(range));
  return { clock, list, deny, texts, denies: (address: string) => list.find(address) !== undefined };
}

describe("who is kept out", () => {
  test("addresses and ranges of both families, however they are spelled", () => {
    const { denies } = start(
      "203.0.113.9",
      "10.0.0.0/8",
      "2001:db8::/32",
      "2001:DB9:0:0::1",
      "::ffff:198.51.100.0/120",
    );
    const out = [
      "203.0.113.9",
      "10.255.0.1",
      "2001:db8:ffff::1",
      "2001:db9::1",
      "2001:db9:0:0:0:0:0:1",
      "198.51.100.77",
    ];
    expect(out.filter((address) => !denies(address))).toEqual([]);
    expect(["203.0.113.8", "11.0.0.0", "2001:dba::1", "2001:db9::2", "198.51.101.1", ""].filter(denies)).toEqual([]);
  });

  test("any address, as ipaddr.js has it", () => {
    const octets = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 });
    const addresses = fc.oneof(
      octets.map((parts) => parts.join(".")),
      fc.ipV6(),
    );
    fc.assert(
      fc.property(addresses, addresses, fc.integer({ min: 1, max: 128 }), (network, address, bits) => {
        const range = readRange(`${network}/${bits}`);
        if (range === undefined) return;
        const list = new DenyList(new ManualClock());
        list.set(range, forGood);
        const [meant, asked] = [ipaddr.process(range.address), ipaddr.process(address)];
        const expected = meant.kind() === asked.kind() && asked.match(meant, range.prefixLength);
        expect(list.find(asked.toString()) !== undefined).toBe(expected);
        expect(list.find(range.address)).toBeDefined();
      }),
    );
  });
});

test("each for its time, which a later word replaces", () => {
  const { clock, deny, denies, texts } = start();
  deny("10.0.0.1", 1_000);
  deny("10.0.0.2", 1_000);
  deny("10.0.0.2", 5_000);
  clock.advance(1_000);
  expect([denies("10.0.0.1"), denies("10.0.0.2")]).toEqual([false, true]);
  expect(texts()).toEqual(["10.0.0.2"]);
  clock.advance(4_000);
  expect(texts()).toEqual([]);
});

test("only that very range is let in again", () => {
  const { list, denies } = start("10.0.0.0/8", "10.1.2.3");
  expect(list.delete(readRange("10.1.0.0/16")!)).toBe(false);
  expect(list.delete(readRange("10.0.0.0/8")!)).toBe(true);
  expect([denies("10.1.2.3"), denies("10.1.2.4")]).toEqual([true, false]);
});

test("as many as there may be; those whose time is over make room", () => {
  const { clock, deny, texts } = start("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4");
  expect(deny("10.0.0.10/32", 100)).toBe(true);
  expect(deny("10.0.0.6")).toBe(false);
  expect(deny("10.0.0.4")).toBe(true);
  clock.advance(100);
  expect(deny("10.0.0.6")).toBe(true);
  expect(texts()).toEqual(["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.6"]);
});

test("what is no range", () => {
  const none = [
    "",
    "10.0.0",
    "10.0.0.0/33",
    "010.0.0.1",
    "a.example",
    "::1/129",
    "fe80::1%eth0",
    "1",
    "10.0.0.0/8/8",
    "::ffff:1.2.3.4/90",
  ];
  expect(none.filter((text) => readRange(text) !== undefined)).toEqual([]);
  expect(rangeText(readRange("10.9.9.9/8")!)).toBe("10.0.0.0/8");
});
