import { describe, expect, it } from "vitest";
import { canaryDefaults } from "../../test/support/default-settings.ts";
import { type CanaryReport, judgeCanary, noTrialCounts, type TrialCounts } from "./canary-judge.ts";

const counted = (requests: number, failures: number, latencyMs = 10): TrialCounts => ({
  ...noTrialCounts,
  requests,
  failures,
  latencySumMs: latencyMs * requests,
  latencySquareSumMs: latencyMs * latencyMs * requests,
  latencyCount: requests,
});
const timed = (latencies: readonly number[]): TrialCounts => ({
  ...noTrialCounts,
  requests: latencies.length,
  latencySumMs: latencies.reduce((sum, ms) => sum + ms, 0),
  latencySquareSumMs: latencies.reduce((sum, ms) => sum + ms * ms, 0),
  latencyCount: latencies.length,
});
const judge = (stable: TrialCounts, canary: TrialCounts): CanaryReport =>
  judgeCanary(canaryDefaults, { stable, canary });

describe("a canary", () => {
  it("is as good when it fails as often as the others", () => {
    expect(judge(counted(10_000, 100), counted(500, 5))).toMatchObject({ verdict: "as-good" });
  });

  it("is worse when it fails more often than chance explains", () => {
    expect(judge(counted(1_000, 0), counted(50, 5))).toMatchObject({
      verdict: "worse",
      reason: "10.0 % of its requests failed, of the others' 0.0 %",
      canary: { requests: 50, failures: 5, errorRate: 0.1 },
    });
    expect(judge(counted(100_000, 1_000), counted(5_000, 150)).verdict).toBe("worse");
  });

  it("is not worse for what chance explains", () => {
    // 2 of 60 is 3.3 % against 2 %: beyond the limit, but an interval from 1 % to 10 %.
    expect(judge(counted(1_000, 20), counted(60, 2)).verdict).toBe("as-good");
  });

  it("is not worse within the limit, however sure it is", () => {
    expect(judge(counted(1_000_000, 0), counted(100_000, 900)).verdict).toBe("as-good");
  });

  it("is worse when it takes half as long again, unless the difference is below a millisecond", () => {
    expect(judge(counted(1_000, 0, 10), counted(100, 0, 16))).toMatchObject({
      verdict: "worse",
      reason: "its responses took 16.0 ms on average, the others' 10.0 ms",
    });
    expect(judge(counted(1_000, 0, 10), counted(100, 0, 14)).verdict).toBe("as-good");
    expect(judge(counted(1_000, 0, 0.3), counted(100, 0, 0.9)).verdict).toBe("as-good");
  });

  it("is not slower because one response was", () => {
    const usual = Array.from({ length: 99 }, () => 10);
    expect(judge(timed(usual), timed([...usual.slice(0, 59), 1_000])).verdict).toBe("as-good");
    const uneven = Array.from({ length: 400 }, (_, n) => (n % 20 === 0 ? 500 : 5));
    expect(judge(timed(uneven), timed(uneven.slice(0, 61))).verdict).toBe("as-good");
    expect(judge(timed(usual), timed([...usual.slice(0, 30), ...usual.map(() => 40)])).verdict).toBe("worse");
  });

  it("is worse when it leaves requests without an answer", () => {
    const canary = { ...noTrialCounts, requests: 100, unanswered: 50 };
    expect(judge(counted(1_000, 0), canary)).toMatchObject({
      verdict: "worse",
      reason: "50.0 % of its requests had no answer after 30.0 s and more, of the others' 0.0 %",
      canary: { errorRate: 0.5, latencyMs: 0 },
    });
    // Those that came last cannot be told yet, however many they are.
    expect(judge(counted(1_000, 0), { ...canary, requests: 2_050, undecided: 1_950 })).toMatchObject({
      verdict: "worse",
      canary: { requests: 100, errorRate: 0.5 },
    });
    expect(judge(counted(1_000, 0), { ...canary, undecided: 60 }).verdict).toBe("too-few-requests");
    // Long polls wait on all sides.
    expect(judge({ ...noTrialCounts, requests: 1_000, unanswered: 500 }, canary).verdict).toBe("as-good");
  });

  it("is worse when it answers 4xx far more often, and by less only because of what clients ask", () => {
    const missing = (requests: number, clientErrors: number) => ({ ...counted(requests, 0), clientErrors });
    expect(judge(missing(1_000, 50), missing(100, 100))).toMatchObject({
      verdict: "worse",
      reason: "100.0 % of its requests were answered with a 4xx, of the others' 5.0 %",
      canary: { errorRate: 0, clientErrorRate: 1 },
    });
    expect(judge(missing(1_000, 50), missing(1_000, 140)).verdict).toBe("as-good");
    expect(judge(missing(1_000, 1_000), missing(100, 100)).verdict).toBe("as-good");
    const never = { ...canaryDefaults, maxClientErrorRateIncrease: 1 };
    expect(judgeCanary(never, { stable: missing(1_000, 0), canary: missing(100, 100) }).verdict).toBe("as-good");
  });

  it("is not judged by a handful of requests", () => {
    expect(judge(counted(1_000, 0), counted(49, 49)).verdict).toBe("too-few-requests");
    expect(judge(counted(10, 0), counted(100, 100)).verdict).toBe("too-few-requests");
  });
});
