import { expect, test } from "vitest";
import { equalCandidates } from "../../test/support/fake-candidate.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import { OptionError } from "../model/errors.ts";
import { resolveStrategy, roundRobin, type Strategy, type StrategyName } from "./index.ts";

const random = seededRandom(1);

test("a strategy object is taken as it is, one of the user's own too", () => {
  const given = roundRobin();
  expect(resolveStrategy(given, { random })).toBe(given);
  const own: Strategy = { name: "first", picker: ([first]) => ({ pick: () => first }) };
  expect(resolveStrategy(own, { random })).toBe(own);
});

test("each name gives a strategy of its own, so that two balancers share no state", () => {
  expect(resolveStrategy("round-robin", { random })).not.toBe(resolveStrategy("round-robin", { random }));
});

test("the given randomness is the only one used", () => {
  const picks = (seed: number) => {
    const picker = resolveStrategy("random", { random: seededRandom(seed) }).picker(equalCandidates(50));
    return Array.from({ length: 20 }, () => picker.pick({}).endpoint.slot);
  };
  expect(picks(1)).toEqual(picks(1));
  expect(picks(1)).not.toEqual(picks(2));
});

test.each(["fastest", "", "__proto__", "constructor", 7, null, undefined, {}, { name: "x" }, roundRobin])(
  "%j is refused, with the names there are",
  (value) => {
    const resolve = () => resolveStrategy(value as StrategyName, { random });
    expect(resolve).toThrow(OptionError);
    expect(resolve).toThrow(/"strategy".*"round-robin", "weighted-round-robin", "least-connections".*"bounded-load"/);
  },
);
