import { describe, expect, it } from "vitest";
import { judgeCanary, type TrialCounters } from "./canary-judge.ts";
import { canaryDefaults } from "./settings.ts";

const none: TrialCounters = { requests: 0, failures: 0, latencySumMs: 0, latencyCount: 0 };
const counted = (requests: number, failures: number, latencyMs = 10): TrialCounters => ({
  requests,
  failures,
  latencySumMs: latencyMs * requests,
  latencyCount: requests,
});
const judge = (stable: TrialCounters, canary: TrialCounters, before = { stable: none, canary: none }) =>
  judgeCanary(canaryDefaults, { before, after: { stable, canary } });

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

  it("is judged by what happened during the trial only", () => {
    const before = { stable: counted(5_000, 5_000, 900), canary: none };
    const stable = { requests: 6_000, failures: 5_000, latencySumMs: 4_500_000 + 10_000, latencyCount: 6_000 };
    expect(judge(stable, counted(100, 30), before)).toMatchObject({
      verdict: "worse",
      stable: { errorRate: 0, latencyMs: 10 },
    });
  });

  it("is not judged by a handful of requests", () => {
    expect(judge(counted(1_000, 0), counted(49, 49)).verdict).toBe("too-few-requests");
    expect(judge(counted(10, 0), counted(100, 100)).verdict).toBe("too-few-requests");
  });
});
