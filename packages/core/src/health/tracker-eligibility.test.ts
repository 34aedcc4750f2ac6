import { describe, expect, it } from "vitest";
import { active, refused, success, track, unavailable } from "../../test/support/track-health.ts";

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
