import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FakeCandidate, fakeCandidates, nonEmpty } from "../../test/support/fake-candidate.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import type { NonEmpty } from "../model/endpoint.ts";
import type { RequestView } from "../model/request-view.ts";
import { resolveStrategy, type StrategyName, strategies } from "./index.ts";

const names = Object.keys(strategies) as StrategyName[];

/** Weights from 1/8 to 128, exactly representable or not. */
const weights = fc.array(fc.oneof(fc.constant(1), fc.double({ min: 0.125, max: 128, noNaN: true })), {
  minLength: 1,
  maxLength: 12,
});
const requests = fc.array(
  fc.record<RequestView>({ clientAddress: fc.ipV4(), method: fc.constant("GET") }, { requiredKeys: [] }),
  { minLength: 1, maxLength: 30 },
);
const runs = { seed: 20_240_501, numRuns: 40 } as const;

function made(name: StrategyName, seed = 1) {
  return resolveStrategy(name, { random: seededRandom(seed) });
}

function request(number: number): RequestView {
  return { clientAddress: `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}` };
}

/** What a balancer does: leases begin with the pick and end in some order, and the picker is told of both. */
function loaded(candidates: NonEmpty<FakeCandidate>, seed: number) {
  const random = seededRandom(seed);
  for (const candidate of candidates) {
    candidate.inFlight = Math.trunc(random() * 5);
    candidate.latency = random() < 0.3 ? 0 : random() * 100;
  }
  return candidates;
}

describe.each(names)("%s", (name) => {
  test("has the name by which options know it", () => {
    expect(made(name).name).toBe(name);
  });

  test("always answers with one of its candidates, whatever is known of the request and of the load", () => {
    fc.assert(
      fc.property(weights, requests, fc.nat(), (list, views, seed) => {
        const candidates = loaded(fakeCandidates(list), seed);
        const picker = made(name, seed).picker(candidates);
        for (const view of [...views, {}]) {
          const chosen = picker.pick(view) as FakeCandidate;
          expect(candidates.includes(chosen)).toBe(true);
          chosen.inFlight += 1;
          picker.loadChanged?.(chosen);
        }
      }),
      runs,
    );
  });

  test("never answers with an excluded endpoint while another is left", () => {
    fc.assert(
      fc.property(weights, requests, fc.nat(), (list, views, seed) => {
        const candidates = loaded(fakeCandidates(list), seed);
        const picker = made(name, seed).picker(candidates);
        const stranger = new FakeCandidate({ slot: 99 }).endpoint;
        for (const view of views) {
          // Every candidate in turn, as if each attempt failed.
          const tried = new Set([stranger]);
          for (let left = candidates.length; left > 0; left -= 1) {
            const { endpoint } = picker.pick(view, tried);
            expect(tried.has(endpoint)).toBe(false);
            tried.add(endpoint);
          }
        }
      }),
      runs,
    );
  });

  test("ignores an exclusion of everybody, rather than hang or throw", () => {
    const candidates = fakeCandidates([1, 2, 3]);
    const everybody = new Set(candidates.map(({ endpoint }) => endpoint));
    expect(candidates).toContain(made(name).picker(candidates).pick({}, everybody));
  });

  test("an empty exclusion changes nothing", () => {
    const candidates = fakeCandidates([1, 2, 3, 4]);
    const plain = made(name).picker(candidates);
    const excluding = made(name).picker(candidates);
    for (let at = 0; at < 50; at += 1) expect(excluding.pick(request(at), new Set())).toBe(plain.pick(request(at)));
  });

  test("with one candidate, that is the answer", () => {
    const candidates = fakeCandidates([7]);
    const picker = made(name).picker(candidates);
    for (let at = 0; at < 10; at += 1) expect(picker.pick(request(at))).toBe(candidates[0]);
  });

  test("reaches every candidate", () => {
    const candidates = fakeCandidates([3, 1, 1, 2]);
    const picker = made(name).picker(candidates);
    const seen = new Set();
    for (let at = 0; at < 500; at += 1) {
      const chosen = picker.pick(request(at)) as FakeCandidate;
      seen.add(chosen);
      chosen.inFlight += 1;
      picker.loadChanged?.(chosen);
    }
    expect(seen.size).toBe(candidates.length);
  });

  test("honours weights, with leases that overlap", () => {
    // Each lease lasts for the next 80 picks, so all strategies see load; expected 1/8, 1/8, 2/8, 4/8 of 8,000.
    const candidates = fakeCandidates([1, 1, 2, 4]);
    const picker = made(name, 11).picker(candidates);
    const counts = new Map<FakeCandidate, number>(candidates.map((candidate) => [candidate, 0]));
    const open: FakeCandidate[] = [];
    for (let at = 0; at < 8_000; at += 1) {
      const chosen = picker.pick(request(at)) as FakeCandidate;
      counts.set(chosen, counts.get(chosen)! + 1);
      chosen.inFlight += 1;
      picker.loadChanged?.(chosen);
      open.push(chosen);
      if (open.length <= 80) continue;
      const ended = open.shift()!;
      ended.inFlight -= 1;
      picker.loadChanged?.(ended);
    }
    const shares = [...counts.values()].map((count) => count / 8_000);
    const expected = name === "round-robin" ? [0.25, 0.25, 0.25, 0.25] : [0.125, 0.125, 0.25, 0.5];
    // 0.02 is more than five standard deviations of a binomial with p = 1/8, three and a half of one with p = 1/2.
    for (const [slot, share] of shares.entries()) expect(Math.abs(share - expected[slot]!)).toBeLessThan(0.02);
  });

  test("does not change what it was given, nor depend on the list afterwards", () => {
    const candidates = [...fakeCandidates([2, 3, 1])];
    const before = [...candidates];
    const tried = new Set([candidates[1]!.endpoint]);
    const view = Object.freeze(request(1));
    const picker = made(name).picker(nonEmpty(candidates));
    picker.pick(view);
    picker.pick(view, tried);
    expect(candidates).toEqual(before);
    expect([...tried]).toEqual([before[1]!.endpoint]);
    expect(before.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0]);
    candidates.length = 0;
    expect(before).toContain(picker.pick(view));
  });

  test("survives any sequence of rosters, and hears of leases that outlive their endpoint's place in it", () => {
    fc.assert(
      fc.property(fc.array(fc.subarray([0, 1, 2, 3, 4, 5], { minLength: 1 }), { maxLength: 12 }), (rosters) => {
        const all = fakeCandidates([1, 1, 5, 1, 2, 0.5]);
        const strategy = made(name);
        for (const [turn, slots] of rosters.entries()) {
          const roster = nonEmpty(slots.map((slot) => all[slot]!));
          const picker = strategy.picker(roster);
          for (const candidate of all) picker.loadChanged?.(candidate);
          for (let at = 0; at < 5; at += 1) {
            expect(roster.includes(picker.pick(request(turn * 5 + at)) as FakeCandidate)).toBe(true);
          }
        }
      }),
      runs,
    );
  });

  test("two incarnations of a slot at once are two candidates", () => {
    const old = new FakeCandidate({ slot: 1, incarnation: 1 });
    const next = new FakeCandidate({ slot: 1, incarnation: 2 });
    const picker = made(name).picker([old, next]);
    for (let at = 0; at < 20; at += 1) {
      expect(picker.pick(request(at), new Set([next.endpoint]))).toBe(old);
      expect(picker.pick(request(at), new Set([old.endpoint]))).toBe(next);
    }
  });
});
