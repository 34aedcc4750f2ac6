import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { balancerDefaults } from "../../test/support/default-settings.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { RetryBudget } from "./retry-budget.ts";

function withdrawAll(budget: RetryBudget): number {
  let taken = 0;
  while (budget.withdraw()) taken += 1;
  return taken;
}

describe("RetryBudget", () => {
  it("allows a minimum without any request, again after the window", () => {
    const clock = new ManualClock();
    const budget = new RetryBudget(balancerDefaults.retryBudget, clock);
    expect(withdrawAll(budget)).toBe(100);
    clock.advance(8_999);
    expect(withdrawAll(budget)).toBe(0);
    clock.advance(1_001);
    expect(withdrawAll(budget)).toBe(100);
  });

  it("allows a share of the requests of the window", () => {
    const clock = new ManualClock();
    const budget = new RetryBudget({ ...balancerDefaults.retryBudget, minRetriesPerSecond: 0 }, clock);
    for (let request = 0; request < 14; request += 1) budget.deposit();
    expect(withdrawAll(budget)).toBe(2);
    for (let request = 0; request < 4; request += 1) budget.deposit();
    expect(withdrawAll(budget)).toBe(1);
    for (let request = 0; request < 50; request += 1) budget.deposit();
    clock.advance(10_000);
    expect(withdrawAll(budget)).toBe(0);
  });

  it("keeps a timer only while there is something to forget", () => {
    const clock = new ManualClock();
    const budget = new RetryBudget(balancerDefaults.retryBudget, clock);
    expect(clock.pending).toBe(0);
    budget.deposit();
    expect(clock.pending).toBe(1);
    clock.advance(10_000);
    expect(clock.pending).toBe(0);
    budget.withdraw();
    expect(clock.pending).toBe(1);
    budget.close();
    expect(clock.pending).toBe(0);
  });

  it("never allows more than the minimum and the share of a window, whatever the order", () => {
    const step = fc.record({ ms: fc.integer({ min: 0, max: 3_000 }), requests: fc.nat(60), tries: fc.nat(60) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const clock = new ManualClock();
        const settings = { ratio: 0.2, minRetriesPerSecond: 1, ttlMs: 10_000 };
        const budget = new RetryBudget(settings, clock);
        const past: { at: number; requests: number; retries: number }[] = [];
        for (const { ms, requests, tries } of steps) {
          clock.advance(ms);
          const entry = { at: clock.now(), requests, retries: 0 };
          past.push(entry);
          for (let request = 0; request < requests; request += 1) budget.deposit();
          for (let attempt = 0; attempt < tries; attempt += 1) if (budget.withdraw()) entry.retries += 1;
          // Steps are a tenth of the window, so what counts is exact up to one step.
          const sum = (pick: (entry: (typeof past)[number]) => number, windowMs: number) =>
            past.reduce((total, other) => total + (entry.at - other.at <= windowMs ? pick(other) : 0), 0);
          const retries = sum((other) => other.retries, 9_000);
          expect(retries).toBeLessThanOrEqual(10 + 0.2 * sum((other) => other.requests, 20_000) + 1e-9);
        }
      }),
    );
  });
});
