import { describe, expect, it } from "vitest";
import { outlierDefaults, passiveDefaults } from "../../test/support/default-settings.ts";
import { answered, failure, refused, success, track, unavailable } from "../../test/support/track-health.ts";
import type { HealthSettings } from "../options/health-options.ts";

describe("HealthTracker: maxFails within failTimeoutMs", () => {
  it("takes an endpoint that refuses a connection out at once, and for failTimeoutMs", () => {
    const { clock, eligible, observe, stateOf } = track(4);
    observe(1, refused);
    expect(eligible()).toEqual(["0", "2", "3"]);
    expect(stateOf(1)).toEqual({ kind: "ejected", since: 0, until: 10_000, cause: "fails" });
    clock.advance(9_999);
    expect(eligible()).toEqual(["0", "2", "3"]);
    clock.advance(1);
    expect(eligible()).toEqual(["0", "1", "2", "3"]);
    expect(stateOf(1).kind).toBe("trial");
  });

  it("clears everything on a successful trial", () => {
    const { clock, observe, stateOf } = track(4, { passive: { ...passiveDefaults, maxFails: 2 } });
    observe(1, refused, 2);
    clock.advance(10_000);
    observe(1, success);
    expect(stateOf(1)).toEqual({ kind: "healthy", since: 10_000 });
    observe(1, refused);
    expect(stateOf(1).kind).toBe("healthy");
  });

  it("puts it out for the same time when the trial fails", () => {
    const { clock, observe, stateOf } = track(4);
    observe(1, refused);
    clock.advance(10_000);
    observe(1, refused);
    expect(stateOf(1)).toEqual({ kind: "ejected", since: 10_000, until: 20_000, cause: "fails" });
  });

  it("counts only the named failures, and successes in between do not hide them", () => {
    const passive = { on: ["reset", "timeout"] as const, maxFails: 3, failTimeoutMs: 1_000 };
    const { clock, observe, stateOf } = track(4, { passive, outlier: false });
    observe(0, refused, 9);
    observe(0, unavailable, 9);
    observe(0, failure("reset"), 2);
    observe(0, success);
    expect(stateOf(0).kind).toBe("healthy");
    observe(0, failure("timeout"));
    expect(stateOf(0).kind).toBe("ejected");
    observe(1, failure("reset"), 2);
    clock.advance(1_001);
    observe(1, failure("reset"));
    expect(stateOf(1).kind).toBe("healthy");
  });

  it("passes a trial that fails for a reason that does not count", () => {
    const { clock, observe, stateOf } = track(4);
    observe(1, refused);
    clock.advance(10_000);
    observe(1, unavailable);
    expect(stateOf(1).kind).toBe("healthy");
  });

  it("learns nothing from cancelled requests, nor from old ones during an ejection", () => {
    const { clock, observe, stateOf, changes } = track(4);
    observe(0, { kind: "cancelled" }, 99);
    observe(1, refused);
    observe(1, success);
    observe(1, refused);
    expect(changes).toHaveLength(1);
    clock.advance(10_000);
    observe(1, { kind: "cancelled" });
    expect(stateOf(1).kind).toBe("trial");
  });
});

describe("HealthTracker: consecutive failures", () => {
  it("ejects after an unbroken run, longer each time, and less after good intervals", () => {
    const { clock, observe, stateOf } = track(4);
    const ejectedFor = () => {
      observe(0, unavailable, 5);
      const state = stateOf(0);
      if (state.kind !== "ejected") return 0;
      clock.advance(state.until - state.since);
      observe(0, success);
      return state.until - state.since;
    };
    observe(0, unavailable, 4);
    observe(0, success);
    observe(0, failure("reset"), 4);
    expect(stateOf(0).kind).toBe("healthy");
    observe(0, success);
    expect([ejectedFor(), ejectedFor(), ejectedFor()]).toEqual([10_000, 20_000, 30_000]);
    clock.advance(2 * outlierDefaults.intervalMs);
    expect(ejectedFor()).toBe(20_000);
    clock.advance(3_600_000);
    expect(ejectedFor()).toBe(10_000);
  });

  it("ejects nobody while everybody fails", () => {
    const { observe, stateOf, eligible } = track(4);
    for (let round = 0; round < 20; round += 1) for (const index of [0, 1, 2, 3]) observe(index, unavailable);
    expect(eligible()).toHaveLength(4);
    observe(3, success);
    observe(0, unavailable);
    expect(stateOf(0)).toMatchObject({ kind: "ejected", cause: "consecutive-failures" });
  });
});

describe("HealthTracker: what a status means is each policy's to say", () => {
  it("counts gateway errors in a run, and neither the app's own errors nor what clients did wrong", () => {
    for (const status of [502, 503, 504]) {
      const { observe, stateOf } = track(4);
      observe(0, answered(status), 5);
      expect(stateOf(0)).toMatchObject({ kind: "ejected", cause: "consecutive-failures" });
    }
    for (const status of [400, 404, 429, 500, 501]) {
      const { observe, stateOf } = track(4);
      observe(0, answered(status), 50);
      observe(0, unavailable, 4);
      observe(0, answered(status));
      observe(0, unavailable, 4);
      expect(stateOf(0).kind).toBe("healthy");
    }
  });

  it("counts all 5xx in the success rate", () => {
    for (const [status, found] of [
      [500, "ejected"],
      [599, "ejected"],
      [499, "healthy"],
    ] as const) {
      const { clock, observe, stateOf } = track(10, { passive: false });
      for (let index = 0; index < 10; index += 1) observe(index, index === 7 ? answered(status) : success, 100);
      clock.advance(10_000);
      expect(stateOf(7).kind).toBe(found);
    }
  });

  it("goes by what is set", () => {
    const passive: HealthSettings["passive"] = { ...passiveDefaults, on: ["5xx", 429] };
    for (const status of [500, 503, 429]) {
      const { observe, stateOf } = track(4, { passive });
      observe(0, answered(404), 9);
      observe(0, refused, 4);
      observe(0, answered(status));
      expect(stateOf(0)).toMatchObject({ kind: "ejected", cause: "fails" });
    }
    const { observe, stateOf } = track(4, { outlier: { ...outlierDefaults, on: ["timeout", 500] } });
    observe(0, unavailable, 9);
    observe(0, answered(500), 4);
    observe(0, failure("timeout"));
    expect(stateOf(0)).toMatchObject({ kind: "ejected", cause: "consecutive-failures" });
  });

  it("judges a trial by the policy that had ejected", () => {
    const { clock, observe, stateOf } = track(4);
    observe(0, unavailable, 5);
    clock.advance(10_000);
    observe(0, answered(500));
    expect(stateOf(0).kind).toBe("healthy");
  });
});

describe("HealthTracker: success rate", () => {
  it("ejects the endpoint that fails far more often than the others, at the end of the interval", () => {
    const { clock, observe, eligible, stateOf } = track(10, { passive: false });
    for (let index = 0; index < 10; index += 1) {
      for (let request = 0; request < 100; request += 1) {
        observe(index, index === 7 && request % 3 === 0 ? unavailable : success);
      }
    }
    clock.advance(9_999);
    expect(eligible()).toHaveLength(10);
    clock.advance(1);
    expect(stateOf(7)).toMatchObject({ kind: "ejected", cause: "success-rate", until: 20_000 });
    expect(eligible()).toHaveLength(9);
  });

  it("starts each interval from zero and keeps no timer without traffic", () => {
    const { clock, observe, eligible } = track(10, { passive: false });
    observe(7, unavailable, 3);
    clock.advance(10_000);
    expect(clock.pending).toBe(0);
    for (let index = 0; index < 10; index += 1) observe(index, success, 99);
    clock.advance(10_000);
    expect(eligible()).toHaveLength(10);
    expect(clock.pending).toBe(0);
  });
});

describe("HealthTracker: trials", () => {
  it("names the endpoints whose trial is under way until its outcome is there", () => {
    const { clock, tracker, all, observe } = track(4);
    observe(1, refused);
    clock.advance(10_000);
    expect(tracker.onTrial).toBe(1);
    expect(tracker.openTrials().size).toBe(0);
    const health = tracker.of(all[1]!)!;
    expect(tracker.startTrial(health)).toBe(true);
    expect([...tracker.openTrials()]).toEqual([all[1]]);
    tracker.endTrial(health, success);
    expect(tracker.onTrial).toBe(0);
    expect(tracker.openTrials().size).toBe(0);
    expect(tracker.startTrial(health)).toBe(false);
  });

  it("makes way for another trial when one was cancelled or takes longer than the ejection did", () => {
    const { clock, tracker, all, observe, stateOf } = track(4);
    observe(1, refused);
    clock.advance(10_000);
    const health = tracker.of(all[1]!)!;
    tracker.startTrial(health);
    tracker.endTrial(health, { kind: "cancelled" });
    expect(tracker.openTrials().size).toBe(0);
    tracker.startTrial(health);
    clock.advance(10_000);
    expect(tracker.openTrials().size).toBe(1);
    clock.advance(1);
    expect(tracker.openTrials().size).toBe(0);
    expect(stateOf(1).kind).toBe("trial");
  });

  it("leaves old requests out of it", () => {
    const { clock, tracker, all, observe, stateOf } = track(4);
    observe(1, refused);
    clock.advance(10_000);
    tracker.record(tracker.of(all[1]!)!, refused);
    expect(stateOf(1).kind).toBe("trial");
  });
});
