import fc from "fast-check";
import { expect, test } from "vitest";
import { fakeCandidates, nonEmpty } from "../../test/support/fake-candidate.ts";
import { clients, slotsOf } from "../../test/support/request-keys.ts";
import { rendezvous } from "./rendezvous.ts";

const keys = clients(500);
const weights = fc.array(fc.oneof(fc.constant(1), fc.double({ min: 0.1, max: 20, noNaN: true })), {
  minLength: 2,
  maxLength: 12,
});

test("when an endpoint leaves exactly its keys move, and back when it returns", () => {
  fc.assert(
    fc.property(weights, fc.nat(), (list, pick) => {
      const all = fakeCandidates(list);
      const leaver = pick % all.length;
      const strategy = rendezvous();
      const before = slotsOf(strategy.picker(all), keys);
      const after = slotsOf(strategy.picker(nonEmpty(all.filter(({ endpoint }) => endpoint.slot !== leaver))), keys);
      for (const [at, slot] of before.entries()) {
        if (slot === leaver) expect(after[at]).not.toBe(leaver);
        else expect(after[at]).toBe(slot);
      }
      expect(slotsOf(strategy.picker(all), keys)).toEqual(before);
    }),
    { seed: 31, numRuns: 60 },
  );
});

test("the second choice under `exclude` is where the key goes when the endpoint leaves", () => {
  const all = fakeCandidates([1, 2, 3, 4, 5]);
  const without = nonEmpty(all.filter(({ endpoint }) => endpoint.slot !== 4));
  const strategy = rendezvous();
  expect(slotsOf(strategy.picker(all), keys, new Set([all[4]!.endpoint]))).toEqual(
    slotsOf(strategy.picker(without), keys),
  );
});

test("a heavier weight only takes keys, and moves none between the others", () => {
  const before = slotsOf(rendezvous().picker(fakeCandidates([1, 1, 1, 1])), keys);
  const after = slotsOf(rendezvous().picker(fakeCandidates([1, 1, 2, 1])), keys);
  for (const [at, slot] of before.entries()) if (after[at] !== slot) expect(after[at]).toBe(2);
  expect(after).not.toEqual(before);
});
