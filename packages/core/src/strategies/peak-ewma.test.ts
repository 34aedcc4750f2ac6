import { expect, test } from "vitest";
import { equalCandidates, type FakeCandidate, fakeCandidates } from "../../test/support/fake-candidate.ts";
import { seededRandom } from "../../test/support/seeded-random.ts";
import type { Candidate } from "../model/candidate.ts";
import type { NonEmpty } from "../model/endpoint.ts";
import { OptionError } from "../model/errors.ts";
import { peakEwma } from "./peak-ewma.ts";

const pickerOver = (candidates: NonEmpty<Candidate>) => peakEwma({ random: seededRandom(1) }).picker(candidates);

/** Picks for leases that do not end; the number that each slot got. */
function pile(candidates: NonEmpty<FakeCandidate>, picks: number): number[] {
  const picker = pickerOver(candidates);
  for (let at = 0; at < picks; at += 1) (picker.pick({}) as FakeCandidate).inFlight += 1;
  return candidates.map(({ inFlight }) => inFlight);
}

test("asks for latencies, with its decay", () => {
  expect(peakEwma().latencyDecayMs).toBe(10_000);
  expect(peakEwma({ decayMs: 500 }).latencyDecayMs).toBe(500);
});

test("of two, the one with the lower product of latency and queue", () => {
  const [a, b] = equalCandidates(2);
  a.latency = 10;
  b!.latency = 50;
  const picker = pickerOver([a, b!]);
  a.inFlight = 3;
  expect(picker.pick({})).toBe(a);
  a.inFlight = 5;
  expect(picker.pick({})).toBe(b);
});

test("queues grow in inverse proportion to latency", () => {
  const candidates = equalCandidates(2);
  candidates[0].latency = 10;
  candidates[1]!.latency = 40;
  const [fast, slow] = pile(candidates, 100);
  expect(fast! / slow!).toBeGreaterThan(3.5);
  expect(fast! / slow!).toBeLessThan(4.5);
});

test("an endpoint that has not answered yet gets its part and no more", () => {
  const candidates = equalCandidates(5);
  for (const candidate of candidates.slice(1)) candidate.latency = 20;
  const [unseen] = pile(candidates, 500);
  expect(unseen).toBeGreaterThanOrEqual(95);
  expect(unseen).toBeLessThanOrEqual(105);
});

test("an endpoint whose only lease never answers is not starved", () => {
  const candidates = equalCandidates(2);
  candidates[0].inFlight = 1;
  candidates[1]!.latency = 5;
  candidates[1]!.inFlight = 2;
  expect(pickerOver(candidates).pick({})).toBe(candidates[0]);
});

test("an estimate that faded in idle time does not draw more requests than the other's milliseconds", () => {
  const candidates = equalCandidates(2);
  candidates[0].latency = 1e-9;
  candidates[1]!.latency = 20;
  const picker = pickerOver(candidates);
  for (let at = 0; at < 1_000 && candidates[1]!.inFlight === 0; at += 1) {
    (picker.pick({}) as FakeCandidate).inFlight += 1;
  }
  expect(candidates[0].inFlight).toBeLessThanOrEqual(20);
});

test("a weight is room in the queue: twice the weight, twice in flight; idle, by weight", () => {
  const busy = fakeCandidates([1, 2]);
  for (const candidate of busy) candidate.latency = 10;
  const [light, heavy] = pile(busy, 300);
  expect(heavy! / light!).toBeCloseTo(2, 1);

  const idle = fakeCandidates([1, 3]);
  const picker = pickerOver(idle);
  let picks = 0;
  for (let at = 0; at < 10_000; at += 1) if (picker.pick({}) === idle[1]) picks += 1;
  expect(Math.abs(picks - 7_500)).toBeLessThan(5 * Math.sqrt(10_000 * 0.75 * 0.25));
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("refuses decayMs %d", (decayMs) => {
  expect(() => peakEwma({ decayMs })).toThrow(OptionError);
  expect(() => peakEwma({ decayMs })).toThrow(/"peakEwma.decayMs"/);
});
