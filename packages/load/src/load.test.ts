import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Pace } from "./pace.ts";
import { reportOf } from "./report.ts";
import { reportText } from "./report-text.ts";
import { usersAt } from "./stages.ts";
import { Tally } from "./tally.ts";
import { judge } from "./thresholds.ts";

test("stages go evenly from one number of users to the next", () => {
  const stages = [
    { durationMs: 10_000, users: 50 },
    { durationMs: 10_000, users: 200 },
    { durationMs: 5_000, users: 0 },
  ];
  const at = [0, 1_000, 5_000, 10_000, 15_000, 19_999, 22_500, 24_999, 25_000].map((ms) => usersAt(stages, ms));
  expect(at).toEqual([1, 5, 25, 50, 125, 200, 100, 0, undefined]);
});

test("a pace gives each turn once, at even distances, and knows how many nobody has taken", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), fc.nat(10_000), fc.nat(100), (perSecond, begunAt, taken) => {
      const pace = new Pace(perSecond, begunAt);
      const due = Array.from({ length: taken }, () => pace.take());
      for (const [n, at] of due.entries()) expect(at).toBeCloseTo(begunAt + (n * 1_000) / perSecond, 6);
      expect(pace.behind(begunAt + 1_000)).toBe(Math.max(0, perSecond + 1 - taken));
    }),
  );
});

function filled() {
  const tally = new Tally();
  for (let ms = 1; ms <= 100; ms += 1) {
    const by = ms % 4 === 0 ? "127.0.0.1:3002" : "127.0.0.1:3001";
    tally.add("GET /", { kind: "answered", status: ms > 98 ? 503 : 200, bytes: 10, by }, ms);
  }
  tally.add("GET /", { kind: "failed", why: "ECONNRESET" }, 0.1);
  tally.check("there is a price", true);
  tally.check("there is a price", false);
  return tally;
}
const course = { url: "http://a/", tookMs: 2_000, users: 4, iterations: 101, notBegun: 3 };

test("what was measured, with what failed apart", () => {
  const report = reportOf(filled(), course, { p95Ms: 90, errors: 0.1, minPerSecond: 40, checks: 0.5 });
  expect(report).toMatchObject({
    perSecond: 50,
    all: { count: 101, failed: 3, bytes: 1_000, statuses: { 200: 98, 503: 2 }, failures: { ECONNRESET: 1 } },
    instances: { "127.0.0.1:3001": 75, "127.0.0.1:3002": 25 },
    passed: false,
  });
  const { p50, p95, max } = report.all.latencyMs;
  for (const [value, expected] of [
    [p50, 50],
    [p95, 95],
    [max, 100],
  ] as const)
    expect(value! / expected).toBeCloseTo(1, 2);
  expect(report.verdicts.map(({ threshold, holds }) => [threshold, holds])).toEqual([
    ["p95", false],
    ["errors", true],
    ["rate", true],
    ["checks", true],
  ]);
  const text = reportText(report);
  for (const part of [
    /101 in 2\.0 s by 4 users, 50 answered a second, 3 failed \(3\.0 %\)/,
    /3 iterations were due and never/,
    /2 × 503, 1 × ECONNRESET/,
    /127\.0\.0\.1:3002\s+25\s+25\.0 %\s+█{10}$/m,
    /p95\s+95\.\d ms\s+90\.0 ms\s+CROSSED/,
  ]) {
    expect(text).toMatch(part);
  }
});

describe("thresholds", () => {
  test("nothing measured holds nothing, and a check that fails is one too many where nothing else is said", () => {
    const empty = reportOf(new Tally(), course, { p95Ms: 1, errors: 1 });
    expect(empty.verdicts).toEqual([
      { threshold: "p95", limit: 1, measured: null, holds: false },
      { threshold: "errors", limit: 1, measured: null, holds: false },
    ]);
    expect([empty.passed, reportOf(new Tally(), course, {}).passed]).toEqual([false, false]);
    expect(reportText(empty)).toContain("Nobody answered");
    expect(judge({}, reportOf(filled(), course, {}))).toEqual([
      { threshold: "checks", limit: 0, measured: 0.5, holds: false },
    ]);
  });
});

test("names made of ids do not fill the memory", () => {
  const tally = new Tally();
  for (let id = 0; id < 500; id += 1) tally.add(`GET /users/${id}`, { kind: "succeeded" }, 1);
  expect(tally.byName.size).toBe(101);
  expect(tally.byName.get("(others)")!.count).toBe(400);
});
