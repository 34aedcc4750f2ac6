import { describe, expect, it } from "vitest";
import {
  activeDefaults,
  healthDefaults,
  outlierDefaults,
  passiveDefaults,
} from "../../test/support/default-settings.ts";
import { endpointsInSlots } from "../../test/support/endpoints.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { FailureReason, Outcome } from "../model/outcome.ts";
import type { HealthSettings } from "../options/health-options.ts";
import type { HealthChange } from "./state.ts";
import { HealthTracker } from "./tracker.ts";

const success: Outcome = { kind: "success" };
const failure = (reason: FailureReason): Outcome => ({ kind: "failure", reason });
const refused = failure("connect");
const answered = (status: number): Outcome => ({ kind: "response", status });
const unavailable = answered(503);
const active = { ...activeDefaults, path: "/health" };

function track(count: number, settings: Partial<HealthSettings> = {}) {
  const clock = new ManualClock();
  const tracker = new HealthTracker({ settings: { ...healthDefaults, ...settings }, clock });
  const all = endpointsInSlots(count);
  tracker.track(all);
  const changes: HealthChange[] = [];
  tracker.subscribe((change) => changes.push(change));
  return {
    clock,
    tracker,
    all,
    changes,
    eligible: () => tracker.eligible().map(({ id }) => id),
    stateOf: (index: number) => tracker.of(all[index]!)!.state,
    observe: (index: number, outcome: Outcome, times = 1) => {
      for (let time = 0; time < times; time += 1) tracker.observe(all[index]!, outcome);
    },
  };
}

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

describe("HealthTracker: cap and panic", () => {
  it("ejects no more than the share allows, and the next one only when one is back", () => {
    const { clock, observe, eligible } = track(4);
    for (const index of [0, 1, 2, 3]) observe(index, refused);
    expect(eligible()).toEqual(["2", "3"]);
    clock.advance(10_000);
    observe(0, success);
    observe(1, success);
    observe(2, refused);
    expect(eligible()).toEqual(["0", "1", "3"]);
  });

  it("never ejects the only endpoint, and one of two", () => {
    const one = track(1);
    one.observe(0, refused, 10);
    expect(one.eligible()).toEqual(["0"]);
    const two = track(2, { maxEjectedShare: 0.1 });
    two.observe(0, refused);
    two.observe(1, refused);
    expect(two.eligible()).toEqual(["1"]);
  });

  it("counts endpoints that probes found down", () => {
    const { tracker, all, observe, eligible } = track(4, { active: { ...active, unhealthyAfter: 1 } });
    tracker.observeProbe(all[0]!, false);
    tracker.observeProbe(all[1]!, false);
    observe(2, refused);
    expect(eligible()).toEqual(["2", "3"]);
  });

  it("brings the next ones back when the roster shrinks", () => {
    const { clock, tracker, all, observe, eligible, changes } = track(8);
    for (const index of [3, 2, 1, 0]) {
      observe(index, refused);
      clock.advance(1);
    }
    tracker.track(all.slice(0, 4));
    expect(eligible()).toEqual(["2", "3"]);
    expect(changes.slice(-2).map(({ endpoint, to }) => `${endpoint.id} ${to.kind}`)).toEqual(["3 trial", "2 trial"]);
  });

  it("ignores health below the panic threshold, and when nobody is eligible", () => {
    const { tracker, all, eligible } = track(4, { active: { ...active, unhealthyAfter: 1, healthyAfter: 1 } });
    for (const index of [0, 1, 2]) tracker.observeProbe(all[index]!, false);
    expect(tracker.panicking).toBe(false);
    expect(eligible()).toEqual(["3"]);
    tracker.observeProbe(all[3]!, false);
    expect(tracker.panicking).toBe(true);
    expect(eligible()).toHaveLength(4);
    tracker.observeProbe(all[3]!, true);
    expect(eligible()).toEqual(["3"]);
    const ten = track(10, { active: { ...active, unhealthyAfter: 1 } });
    for (let index = 0; index < 9; index += 1) ten.tracker.observeProbe(ten.all[index]!, false);
    expect(ten.eligible()).toHaveLength(10);
  });
});

describe("HealthTracker: probes", () => {
  it("applies the thresholds in both directions", () => {
    const { clock, tracker, all, stateOf, eligible } = track(2, { active });
    for (const healthy of [true, false, false]) tracker.observeProbe(all[0]!, healthy);
    expect(stateOf(0).kind).toBe("healthy");
    clock.advance(5);
    tracker.observeProbe(all[0]!, false);
    expect(stateOf(0)).toEqual({ kind: "probe-down", since: 5 });
    expect(eligible()).toEqual(["1"]);
    clock.advance(5);
    tracker.observeProbe(all[0]!, true);
    expect(stateOf(0).kind).toBe("probe-down");
    tracker.observeProbe(all[0]!, true);
    expect(stateOf(0)).toEqual({ kind: "healthy", since: 10 });
  });

  it("keeps an endpoint with an unknown state out until its first success, if asked to", () => {
    const { tracker, all, stateOf, eligible } = track(2, { active: { ...active, requireFirstProbe: true } });
    expect(stateOf(0).kind).toBe("unprobed");
    expect(eligible()).toEqual(["0", "1"]);
    tracker.observeProbe(all[1]!, true);
    expect(eligible()).toEqual(["1"]);
    tracker.observeProbe(all[0]!, false);
    expect(stateOf(0).kind).toBe("unprobed");
    tracker.observeProbe(all[0]!, true);
    expect(eligible()).toEqual(["0", "1"]);
  });

  it("lets a probe's verdict replace an ejection, and ends it when the endpoint comes back", () => {
    const { clock, tracker, all, observe, stateOf } = track(4, {
      active: { ...active, unhealthyAfter: 1, healthyAfter: 1 },
    });
    observe(0, refused);
    tracker.observeProbe(all[0]!, true);
    expect(stateOf(0).kind).toBe("ejected");
    tracker.observeProbe(all[0]!, false);
    expect(stateOf(0).kind).toBe("probe-down");
    clock.advance(60_000);
    expect(stateOf(0).kind).toBe("probe-down");
    tracker.observeProbe(all[0]!, true);
    expect(stateOf(0).kind).toBe("healthy");
  });

  it("takes each result for a verdict when it is not told thresholds", () => {
    const { tracker, all, stateOf } = track(2);
    tracker.observeProbe(all[0]!, false);
    expect(stateOf(0).kind).toBe("probe-down");
    tracker.observeProbe(all[0]!, true);
    expect(stateOf(0).kind).toBe("healthy");
  });
});

describe("HealthTracker: the endpoints", () => {
  it("keeps what it knows of those that stay and forgets the others", () => {
    const { tracker, all, observe, eligible, stateOf } = track(4);
    observe(0, refused);
    tracker.track(all.slice(0, 3));
    expect(stateOf(0).kind).toBe("ejected");
    tracker.track(all.slice(1));
    tracker.track(all);
    expect(eligible()).toHaveLength(4);
  });

  it("gives the same array until something changes", () => {
    const { tracker, observe } = track(4);
    const before = tracker.eligible();
    observe(0, success);
    observe(0, unavailable);
    expect(tracker.eligible()).toBe(before);
    observe(0, refused);
    expect(tracker.eligible()).not.toBe(before);
  });

  it("is not misled by late outcomes for endpoints that left", () => {
    const { clock, tracker, all, observe, eligible } = track(4);
    const late = tracker.of(all[3]!)!;
    tracker.track(all.slice(0, 3));
    tracker.record(late, unavailable);
    tracker.record(late, refused);
    tracker.endTrial(late, success);
    // Had the leaver been counted as failing, all three others would have to be failing before a run stops to count.
    for (const index of [0, 1]) observe(index, unavailable, 4);
    observe(0, unavailable);
    expect(eligible()).toEqual(["1", "2"]);
    clock.advance(10_000);
    expect(eligible()).toEqual(["0", "1", "2"]);
  });

  it("lets a trial of an endpoint that left meanwhile end without effect", () => {
    const { clock, tracker, all, observe, changes } = track(4);
    observe(3, refused);
    clock.advance(10_000);
    const late = tracker.of(all[3]!)!;
    tracker.startTrial(late);
    tracker.track(all.slice(0, 3));
    const told = changes.length;
    tracker.endTrial(late, refused);
    tracker.endTrial(late, success);
    expect(changes).toHaveLength(told);
    expect([tracker.onTrial, tracker.openTrials().size, clock.pending]).toEqual([0, 0, 0]);
  });

  it("leaves no timer behind", () => {
    const { clock, tracker, observe } = track(10);
    observe(0, refused);
    observe(1, success);
    expect(clock.pending).toBe(2);
    tracker.close();
    observe(1, success);
    expect(clock.pending).toBe(0);
  });
});
