import fc from "fast-check";
import { expect, test } from "vitest";
import { equalCandidates, FakeCandidate, fakeCandidates } from "../../test/support/fake-candidate.ts";
import { clients, slotsOf } from "../../test/support/request-keys.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import { OptionError } from "../model/errors.ts";
import { boundedLoad } from "./bounded-load.ts";
import { maglev } from "./maglev.ts";

test("a pick never takes an endpoint above its capacity, however leases begin and end", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(1), fc.double({ min: 0.1, max: 20, noNaN: true })), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.double({ min: 1.01, max: 3, noNaN: true }),
      fc.nat(),
      (weights, factor, seed) => {
        const random = seededRandom(seed);
        const candidates = fakeCandidates(weights);
        const picker = boundedLoad({ factor }).picker(candidates);
        const open: FakeCandidate[] = [];
        for (let step = 0; step < 150; step += 1) {
          if (open.length > 0 && random() < 0.4) {
            const ended = open.splice(Math.trunc(random() * open.length), 1)[0]!;
            ended.inFlight -= 1;
            picker.loadChanged?.(ended);
            continue;
          }
          // A third of the requests have one of three hot keys, and some are retries.
          const key = random() < 0.3 ? step % 3 : step;
          const tried = random() < 0.2 && candidates.length > 1 ? candidates[step % candidates.length] : undefined;
          const request = { clientAddress: `10.0.0.${key}` };
          const chosen = picker.pick(request, tried && new Set([tried.endpoint])) as FakeCandidate;
          const others = candidates.filter((candidate) => candidate !== tried);
          const leases = others.reduce((sum, { inFlight }) => sum + inFlight, 0);
          const total = others.reduce((sum, { endpoint }) => sum + endpoint.weight, 0);
          chosen.inFlight += 1;
          picker.loadChanged?.(chosen);
          open.push(chosen);
          const capacity = (factor * (leases + 1) * chosen.endpoint.weight) / total;
          expect(chosen.inFlight).toBeLessThanOrEqual(Math.ceil(capacity + 1e-9));
        }
      },
    ),
    { seed: 2016, numRuns: 80 },
  );
});

test("an idle group hashes as maglev does", () => {
  const candidates = fakeCandidates([1, 2, 3]);
  const keys = clients(1_000);
  expect(slotsOf(boundedLoad().picker(candidates), keys)).toEqual(slotsOf(maglev().picker(candidates), keys));
});

test("a hot key overflows, in the same order each time", () => {
  const overflow = () => {
    const picker = boundedLoad().picker(equalCandidates(5));
    return Array.from({ length: 50 }, () => {
      const chosen = picker.pick({ clientAddress: "10.0.0.1" }) as FakeCandidate;
      chosen.inFlight += 1;
      picker.loadChanged?.(chosen);
      return chosen.endpoint.slot;
    });
  };
  const slots = overflow();
  expect(overflow()).toEqual(slots);
  const most = Math.max(...[0, 1, 2, 3, 4].map((slot) => slots.filter((other) => other === slot).length));
  expect(most).toBeLessThanOrEqual(Math.ceil((1.25 * 50) / 5));
  // What overflowed comes home as soon as there is room.
  expect(slots.filter((slot) => slot === slots[0])).toHaveLength(most);
});

test("leases that were open when the picker was made count", () => {
  const candidates = equalCandidates(2);
  const request = { clientAddress: "10.0.0.1" };
  const home = boundedLoad().picker(candidates).pick(request) as FakeCandidate;
  home.inFlight = 10;
  expect(boundedLoad().picker(candidates).pick(request)).not.toBe(home);
});

test("the leases of an endpoint that left do not count", () => {
  const candidates = equalCandidates(2);
  const picker = boundedLoad().picker(candidates);
  const gone = new FakeCandidate({ slot: 9 });
  gone.inFlight = 1_000;
  picker.loadChanged?.(gone);
  const request = { clientAddress: "10.0.0.1" };
  const home = picker.pick(request) as FakeCandidate;
  home.inFlight = 2;
  picker.loadChanged?.(home);
  expect(picker.pick(request)).not.toBe(home);
});

test.each([1, 0.5, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuses factor %d", (factor) => {
  expect(() => boundedLoad({ factor })).toThrow(OptionError);
  expect(() => boundedLoad({ factor })).toThrow(/"boundedLoad.factor"/);
});
