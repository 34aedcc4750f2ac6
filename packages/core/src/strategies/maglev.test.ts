import { describe, expect, test } from "vitest";
import { equalCandidates, fakeCandidates, nonEmpty } from "../../test/support/fake-candidate.ts";
import { clients, slotsOf } from "../../test/support/request-keys.ts";
import { OptionError } from "../model/errors.ts";
import { maglev } from "./maglev.ts";

/** The part of the keys that stayed with a remaining endpoint's rival: moved though their endpoint is still there. */
function needlesslyMoved(size: number, leaver: number, tableSize: number): number {
  const keys = clients(20_000);
  const all = equalCandidates(size);
  const strategy = maglev({ tableSize });
  const before = slotsOf(strategy.picker(all), keys);
  const after = slotsOf(strategy.picker(nonEmpty(all.filter(({ endpoint }) => endpoint.slot !== leaver))), keys);
  expect(after).not.toContain(leaver);
  return before.filter((slot, at) => slot !== leaver && after[at] !== slot).length / keys.length;
}

describe("when an endpoint leaves", () => {
  test.each([
    [4, 0.02],
    [10, 0.02],
    [100, 0.02],
  ])("of %d, the keys that move between others are at most %d of all", (size, bound) => {
    expect(needlesslyMoved(size, 1, 65_537)).toBeLessThan(bound);
  });

  test("of 1,000, a larger table moves fewer (the paper's figure 12)", () => {
    const small = needlesslyMoved(1_000, 1, 65_537);
    const large = needlesslyMoved(1_000, 1, 655_373);
    expect(small).toBeLessThan(0.03);
    expect(large).toBeLessThan(small);
  });
});

describe("tableSize", () => {
  test.each([0, 1, 4, 65_536, 65_539 * 3, 2.5, -7, Number.NaN, Number.POSITIVE_INFINITY, 5_000_077, "65537"])(
    "%s is refused",
    (tableSize) => {
      const make = () => maglev({ tableSize: tableSize as number });
      expect(make).toThrow(OptionError);
      expect(make).toThrow(/"maglev.tableSize".*prime number up to 5000011/);
    },
  );

  test("with fewer entries than endpoints, the automatic size is used and everybody is reached", () => {
    const picker = maglev({ tableSize: 3 }).picker(equalCandidates(10));
    expect(new Set(slotsOf(picker, clients(1_000))).size).toBe(10);
  });
});

test("a weight changes its own share and little else", () => {
  const keys = clients(20_000);
  const before = slotsOf(maglev().picker(fakeCandidates([1, 1, 1, 1, 1])), keys);
  const after = slotsOf(maglev().picker(fakeCandidates([1, 1, 2, 1, 1])), keys);
  const toHeavier = before.filter((slot, at) => slot !== 2 && after[at] === 2).length / keys.length;
  const elsewhere = before.filter((slot, at) => after[at] !== slot && after[at] !== 2).length / keys.length;
  // From 1/5 to 2/6 of the keys.
  expect(toHeavier).toBeGreaterThan(0.12);
  expect(toHeavier).toBeLessThan(0.15);
  expect(elsewhere).toBeLessThan(0.03);
});
