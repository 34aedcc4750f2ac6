import fc from "fast-check";
import { expect, test } from "vitest";
import { equalCandidates, FakeCandidate, fakeCandidates, nonEmpty } from "../../test/support/fake-candidate.ts";
import { leastConnections } from "./least-connections.ts";

const cost = ({ inFlight, endpoint }: { inFlight: number; endpoint: { weight: number } }) =>
  (inFlight + 1) / endpoint.weight;

test("always picks a minimum of (inFlight + 1) / weight, after any changes of load", () => {
  const change = fc.record({ slot: fc.nat({ max: 9 }), inFlight: fc.nat({ max: 20 }), excluded: fc.nat({ max: 9 }) });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(1), fc.double({ min: 0.1, max: 50, noNaN: true })), {
        minLength: 2,
        maxLength: 10,
      }),
      fc.array(change, { maxLength: 60 }),
      (weights, changes) => {
        const candidates = fakeCandidates(weights);
        const picker = leastConnections().picker(candidates);
        for (const { slot, inFlight, excluded } of changes) {
          const changed = candidates[slot % candidates.length]!;
          changed.inFlight = inFlight;
          picker.loadChanged?.(changed);
          expect(cost(picker.pick({}))).toBe(Math.min(...candidates.map(cost)));
          const out = candidates[excluded % candidates.length]!;
          const others = candidates.filter((candidate) => candidate !== out);
          expect(cost(picker.pick({}, new Set([out.endpoint])))).toBe(Math.min(...others.map(cost)));
        }
      },
    ),
    { seed: 17, numRuns: 100 },
  );
});

test("equals take turns, also when each lease ends before the next begins", () => {
  const candidates = equalCandidates(4);
  const picker = leastConnections().picker(candidates);
  const turns = Array.from({ length: 12 }, () => {
    const chosen = picker.pick({}) as FakeCandidate;
    chosen.inFlight += 1;
    picker.loadChanged?.(chosen);
    chosen.inFlight -= 1;
    picker.loadChanged?.(chosen);
    return chosen.endpoint.slot;
  });
  expect(turns).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
});

test("a change of the roster does not start the turns anew", () => {
  const all = equalCandidates(4);
  const strategy = leastConnections();
  const first = strategy.picker(all);
  expect([first.pick({}), first.pick({})]).toEqual([all[0], all[1]]);
  const second = strategy.picker(nonEmpty([all[0], all[1]!, all[3]!]));
  expect([second.pick({}), second.pick({})]).toEqual([all[3], all[0]]);
});

test("takes the load that candidates have when the picker is made", () => {
  const [a, b] = equalCandidates(2);
  a.inFlight = 3;
  expect(leastConnections().picker([a, b!]).pick({})).toBe(b);
});

test("the load of an endpoint that is not among the candidates is ignored", () => {
  const [a] = equalCandidates(1);
  const picker = leastConnections().picker([a]);
  picker.loadChanged?.(new FakeCandidate({ slot: 5 }));
  expect(picker.pick({})).toBe(a);
});
