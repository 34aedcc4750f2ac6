import { describe, expect, it } from "vitest";
import { RateTable } from "./rate-table.ts";

describe("RateTable", () => {
  const tenASecond = { points: 10, windowMs: 1_000, burst: 20 };

  it("allows the burst and one at once, then the pace", () => {
    const table = new RateTable();
    const atOnce = Array.from({ length: 30 }, () => table.take("a", tenASecond, 5_000.1));
    expect(atOnce.map(({ allowed }) => allowed)).toEqual([...Array(21).fill(true), ...Array(9).fill(false)]);
    expect(atOnce.slice(0, 21).map(({ remaining }) => remaining)).toEqual(Array.from({ length: 21 }, (_, i) => 20 - i));
    expect(atOnce[29]!.retryMs).toBeCloseTo(100);
    expect(atOnce[29]!.resetMs).toBeCloseTo(2_100);
    let allowed = 0;
    for (let ms = 1; ms <= 10_000; ms++) if (table.take("a", tenASecond, 5_000.1 + ms).allowed) allowed++;
    expect(allowed).toBe(100);
  });

  it("keeps keys apart, and forgets those that are at rest", () => {
    const table = new RateTable();
    const one = { points: 1, windowMs: 100, burst: 0 };
    expect(table.take("a", one, 0).allowed).toBe(true);
    expect(table.take("a", one, 99).allowed).toBe(false);
    expect(table.take("b", one, 99).allowed).toBe(true);
    expect(table.take("a", one, 100).allowed).toBe(true);
  });

  it("says when the next one is allowed, and keeps its word", () => {
    const table = new RateTable();
    let now = 0;
    for (let round = 0; round < 1_000; round++) {
      const { allowed, retryMs } = table.take("a", { points: 7, windowMs: 1_000, burst: 3 }, now);
      expect(allowed).toBe(true);
      now += retryMs;
    }
    expect(now).toBeCloseTo((997 * 1_000) / 7, 0);
  });

  it("is bounded: whoever would be forgotten first goes first", () => {
    const table = new RateTable(2);
    const rate = { points: 1, windowMs: 1_000, burst: 1 };
    table.take("busy", rate, 0);
    table.take("busy", rate, 0);
    table.take("b", rate, 0);
    for (let index = 0; index < 1_000; index++) table.take(`flood-${index}`, rate, 1);
    expect(table.take("busy", rate, 2).allowed).toBe(false);
  });

  it("is adjusted: a point given back, a key forgotten or blocked", () => {
    const table = new RateTable();
    const rate = { points: 10, windowMs: 1_000, burst: 1 };
    const allowed = (ms: number) => table.take("a", rate, ms).allowed;
    expect([allowed(0), allowed(0), allowed(0)]).toEqual([true, true, false]);
    table.adjust("a", rate, -1, 0);
    expect([allowed(0), allowed(0)]).toEqual([true, false]);
    table.adjust("a", rate, Number.NEGATIVE_INFINITY, 0);
    expect([allowed(0), allowed(0), allowed(0)]).toEqual([true, true, false]);
    // Points that were never taken cannot be given back.
    table.adjust("b", rate, -5, 0);
    expect([1, 2, 3].map(() => table.take("b", rate, 0).allowed)).toEqual([true, true, false]);
    table.adjust("a", rate, Number.NEGATIVE_INFINITY, 0);
    table.adjust("a", rate, 5_000 / 100 + 1, 0);
    expect([allowed(4_999), allowed(5_000), allowed(5_000)]).toEqual([false, true, false]);
  });
});
