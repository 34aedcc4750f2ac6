import { describe, expect, test } from "vitest";
import { equalCandidates, type FakeCandidate, fakeCandidates } from "../../test/support/fake-candidate.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import type { Endpoint, NonEmpty } from "../model/endpoint.ts";
import { OptionError } from "../model/errors.ts";
import { resolveStrategy, type StrategyName, strategies } from "./index.ts";
import { SlowStart } from "./slow-start.ts";
import type { Picker } from "./strategy.ts";

const SLOW_START_MS = 10_000;

/** A clock, and the ramps that a balancer would keep. */
function rampable(minShare?: number) {
  const clock = new ManualClock();
  const starts = new Map<Endpoint, number>();
  const slowStart = new SlowStart({
    slowStartMs: SLOW_START_MS,
    ...(minShare === undefined ? {} : { minShare }),
    clock,
    startedRampAt: (endpoint) => starts.get(endpoint),
  });
  const ramp = (...candidates: FakeCandidate[]) => {
    for (const { endpoint } of candidates) starts.set(endpoint, clock.now());
  };
  return { clock, slowStart, ramp };
}

/** Shares of `picks` requests of different clients, of which `overlap` are in flight at any time. */
function sharesOf(picker: Picker, candidates: NonEmpty<FakeCandidate>, picks: number, overlap: number): number[] {
  const counts = candidates.map(() => 0);
  const open: FakeCandidate[] = [];
  const change = (candidate: FakeCandidate, by: number) => {
    candidate.inFlight += by;
    picker.loadChanged?.(candidate);
  };
  for (let at = 0; at < picks; at += 1) {
    const chosen = picker.pick({ clientAddress: `10.0.${at >> 8}.${at & 255}` }) as FakeCandidate;
    counts[candidates.indexOf(chosen)]! += 1;
    change(chosen, 1);
    open.push(chosen);
    if (open.length > overlap) change(open.shift()!, -1);
  }
  for (const candidate of open) change(candidate, -1);
  return counts.map((count) => count / picks);
}

describe.each(Object.keys(strategies) as StrategyName[])("with %s", (name) => {
  test.each([0, 100])("the share of one of four rises as its weight does (%d in flight)", (overlap) => {
    const { clock, slowStart, ramp } = rampable();
    const candidates = equalCandidates(4);
    ramp(candidates[2]!);
    const picker = slowStart.wrap(resolveStrategy(name, { random: seededRandom(1) }).picker(candidates), candidates);
    for (const weight of [0.1, 0.325, 0.55, 0.775]) {
      const share = sharesOf(picker, candidates, 4_000, overlap)[2]!;
      const expected = weight / (3 + weight);
      expect(share).toBeLessThan(expected + 0.002);
      // A strategy that draws at random sometimes offers it less than that.
      expect(share).toBeGreaterThan(expected - 0.015);
      clock.advance(SLOW_START_MS / 4);
    }
    const [first, , ramped] = sharesOf(picker, candidates, 4_000, overlap);
    expect(Math.abs(ramped! - first!)).toBeLessThan(0.04);
  });
});

test("least-connections does not rush at the one idle endpoint of fifty", () => {
  const { slowStart, ramp } = rampable();
  const candidates = equalCandidates(50);
  ramp(candidates[0]);
  const picker = slowStart.wrap(
    resolveStrategy("least-connections", { random: seededRandom(1) }).picker(candidates),
    candidates,
  );
  const [share] = sharesOf(picker, candidates, 20_000, 1_000);
  // A tenth of its part; a tenth of all requests would be 0.1.
  expect(share).toBeLessThanOrEqual(0.1 / 49.1 + 1e-3);
  expect(share).toBeGreaterThan(0.0015);
});

test("costs nothing when nobody is ramping: the picker itself is returned", () => {
  const { clock, slowStart, ramp } = rampable();
  const candidates = equalCandidates(2);
  const picker = resolveStrategy("round-robin", { random: seededRandom(1) }).picker(candidates);
  expect(slowStart.wrap(picker, candidates)).toBe(picker);
  ramp(candidates[0]);
  expect(slowStart.wrap(picker, candidates)).not.toBe(picker);
  clock.advance(SLOW_START_MS);
  expect(slowStart.wrap(picker, candidates)).toBe(picker);
});

test("a fresh cluster, all of it ramping alike, holds nobody back", () => {
  const { slowStart, ramp } = rampable();
  const candidates = equalCandidates(4);
  ramp(...candidates);
  const picker = slowStart.wrap(
    resolveStrategy("round-robin", { random: seededRandom(1) }).picker(candidates),
    candidates,
  );
  const slots = Array.from({ length: 8 }, () => picker.pick({}).endpoint.slot);
  expect(slots).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
});

test("three of four restarted: they share as three weights of 0.1 beside one of 1", () => {
  const { slowStart, ramp } = rampable();
  const candidates = equalCandidates(4);
  ramp(...candidates.slice(1));
  const picker = slowStart.wrap(
    resolveStrategy("least-connections", { random: seededRandom(1) }).picker(candidates),
    candidates,
  );
  const shares = sharesOf(picker, candidates, 13_000, 50);
  expect(shares[0]).toBeCloseTo(1 / 1.3, 2);
  for (const share of shares.slice(1)) expect(share).toBeCloseTo(0.1 / 1.3, 2);
});

test("ramps of unlike weights and beginnings: in proportion to the ramped weights", () => {
  const { clock, slowStart, ramp } = rampable(0.2);
  const candidates = fakeCandidates([4, 2, 1, 1]);
  ramp(candidates[0]);
  clock.advance(SLOW_START_MS / 2);
  ramp(candidates[1]!);
  const picker = slowStart.wrap(
    resolveStrategy("weighted-round-robin", { random: seededRandom(1) }).picker(candidates),
    candidates,
  );
  const ramped = [4 * 0.6, 2 * 0.2, 1, 1];
  const total = ramped.reduce((sum, weight) => sum + weight, 0);
  const shares = sharesOf(picker, candidates, 10_000, 0);
  for (const [slot, weight] of ramped.entries()) expect(shares[slot]).toBeCloseTo(weight / total, 1.7);
});

test("a ramping endpoint is chosen when all others were tried", () => {
  const { slowStart, ramp } = rampable();
  const candidates = equalCandidates(3);
  ramp(candidates[1]!);
  const picker = slowStart.wrap(resolveStrategy("random", { random: seededRandom(1) }).picker(candidates), candidates);
  const tried = new Set([candidates[0].endpoint, candidates[2]!.endpoint]);
  for (let at = 0; at < 20; at += 1) expect(picker.pick({}, tried)).toBe(candidates[1]);
});

test("never answers with an excluded endpoint, ramping or not", () => {
  const { slowStart, ramp } = rampable();
  const candidates = equalCandidates(5);
  ramp(candidates[1]!, candidates[3]!);
  const picker = slowStart.wrap(
    resolveStrategy("power-of-two", { random: seededRandom(1) }).picker(candidates),
    candidates,
  );
  for (let at = 0; at < 300; at += 1) {
    const tried = new Set([candidates[at % 5]!.endpoint, candidates[(at * 3 + 1) % 5]!.endpoint]);
    expect(tried.has(picker.pick({}, tried).endpoint)).toBe(false);
  }
});

test("what was saved up outlives a change of the roster, and not a new beginning of the ramp", () => {
  const { clock, slowStart, ramp } = rampable();
  const candidates = equalCandidates(2);
  ramp(candidates[0]);
  const strategy = resolveStrategy("round-robin", { random: seededRandom(1) });
  // Each picker serves for five picks: too few for the 11 that one credit takes.
  const picksOfRamping = (pickers: number) => {
    let picks = 0;
    for (let made = 0; made < pickers; made += 1) {
      const picker = slowStart.wrap(strategy.picker(candidates), candidates);
      for (let at = 0; at < 5; at += 1) if (picker.pick({}) === candidates[0]) picks += 1;
    }
    return picks;
  };
  const picks = picksOfRamping(20);
  expect(picks).toBeGreaterThanOrEqual(8);
  expect(picks).toBeLessThanOrEqual(9);
  picksOfRamping(2);
  clock.advance(1);
  ramp(candidates[0]);
  expect(picksOfRamping(2)).toBe(0);
});

test.each([0, -5, Number.NaN, Number.POSITIVE_INFINITY])("refuses slowStartMs %d", (slowStartMs) => {
  const make = () => new SlowStart({ slowStartMs, clock: new ManualClock(), startedRampAt: () => undefined });
  expect(make).toThrow(OptionError);
});

test.each([0, -0.1, 1.1, Number.NaN])("refuses minShare %d", (minShare) => {
  expect(() => rampable(minShare)).toThrow(OptionError);
});
