import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { Alert, AlertRule } from "../model/alert.ts";
import { IncidentBook } from "./incident-book.ts";
import type { IncidentTimes, Seen } from "./incident-state.ts";

function book(times: Partial<IncidentTimes> = {}) {
  const clock = new ManualClock();
  const told: Alert[] = [];
  const rules = new Map<AlertRule, IncidentTimes>([
    ["instance", { forMs: 5_000, recoverForMs: 10_000, tellsBrief: false, ...times }],
  ]);
  const incidents = new IncidentBook({ rules, clock, wallClock: () => clock.now(), tell: (alert) => told.push(alert) });
  const note = (seen: Seen, subject = "instance 1", summary = `${subject} is ${seen}`) =>
    incidents.note({ rule: "instance", subject, seen, summary, severity: seen === "urgent" ? "critical" : "warning" });
  return {
    told,
    incidents,
    note,
    /** It looks like that for so long, looked at once a second. */
    lasts: (seen: Seen, seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        note(seen);
        clock.advance(1_000);
        incidents.tick();
      }
    },
    states: () => told.map(({ state, durationMs }) => (durationMs === undefined ? state : `${state} ${durationMs}`)),
  };
}

test("one message when it has been bad for long enough, one when it has been good for long enough", () => {
  const { lasts, states, told } = book();
  lasts("bad", 4);
  expect(states()).toEqual([]);
  lasts("bad", 60);
  expect(states()).toEqual(["firing"]);
  lasts("good", 9);
  expect(states()).toEqual(["firing"]);
  lasts("good", 10);
  expect(states()).toEqual(["firing", "resolved 64000"]);
  expect(told[1]).toMatchObject({ id: told[0]!.id, summary: "instance 1 is bad", since: "1970-01-01T00:00:00.000Z" });
  lasts("bad", 6);
  expect(told[2]!.id).not.toBe(told[0]!.id);
});

test("what is good in between begins anew, and what flickers is one incident", () => {
  const { lasts, states } = book();
  for (let times = 0; times < 5; times++) {
    lasts("bad", 4);
    lasts("good", 1);
  }
  expect(states()).toEqual([]);
  lasts("bad", 6);
  for (let times = 0; times < 5; times++) {
    lasts("good", 9);
    lasts("bad", 3);
  }
  expect(states()).toEqual(["firing"]);
});

test("between the two bounds nothing begins and nothing ends", () => {
  const { lasts, states } = book();
  lasts("between", 60);
  lasts("bad", 4);
  lasts("between", 1);
  lasts("bad", 4);
  expect(states()).toEqual([]);
  lasts("bad", 2);
  lasts("good", 9);
  lasts("between", 60);
  expect(states()).toEqual(["firing"]);
  lasts("good", 11);
  expect(states()).toEqual(["firing", "resolved 75000"]);
});

test("what is urgent is said at once, whatever was said before it is not changed by what comes", () => {
  const { note, lasts, told } = book();
  note("bad");
  note("urgent");
  note("bad", "instance 1", "something else");
  lasts("good", 12);
  expect(told).toMatchObject([
    { state: "firing", severity: "critical", summary: "instance 1 is urgent" },
    { state: "resolved", severity: "critical", summary: "instance 1 is urgent" },
  ]);
});

test("where brief ones are told: one message, and none of the end; if it comes again soon, it is an incident", () => {
  const { lasts, states } = book({ tellsBrief: true });
  lasts("bad", 1);
  lasts("good", 3);
  expect(states()).toEqual([]);
  lasts("good", 60);
  expect(states()).toEqual(["passed 1000"]);
  lasts("bad", 1);
  lasts("good", 7);
  expect(states()).toEqual(["passed 1000", "passed 1000"]);
  lasts("bad", 1);
  lasts("good", 11);
  expect(states()).toEqual(["passed 1000", "passed 1000", "firing", "resolved 9000"]);
});

test("subjects are looked at by themselves; those that are gone are good; rules that are off are nothing", () => {
  const { note, incidents, told } = book({ forMs: 0, recoverForMs: 0 });
  note("bad", "instance 1");
  note("bad", "instance 2");
  incidents.note({ rule: "cpu", subject: "cluster", seen: "bad", summary: "", severity: "warning" });
  incidents.only("instance", new Set(["instance 1"]));
  expect(told.map(({ state, subject }) => `${subject} ${state}`)).toEqual([
    "instance 1 firing",
    "instance 2 firing",
    "instance 2 resolved",
  ]);
});

test("more than 2,000 things that are wrong are not kept", () => {
  const { note, told } = book({ forMs: 0 });
  for (let id = 1; id <= 3_000; id++) note("bad", `instance ${id}`);
  expect(told).toHaveLength(2_000);
});
