import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { Alert } from "../model/alert.ts";
import type { QuietHoursSettings } from "../options/alert-options.ts";
import { Outbox } from "./outbox.ts";
import { quietFor } from "./quiet-hours.ts";

const minute = 60_000;
const hour = 60 * minute;
const midnight = Date.UTC(2026, 10, 27);

function outbox({ quietHours, at = midnight }: { quietHours?: QuietHoursSettings; at?: number } = {}) {
  const clock = new ManualClock();
  const sent: { readonly at: number; readonly alerts: string[]; readonly omitted: number }[] = [];
  const box = new Outbox({
    digest: { messages: 5, perMs: minute },
    quietHours,
    clock,
    wallClock: () => at + clock.now(),
    send: (alerts, omitted) =>
      sent.push({ at: clock.now(), alerts: alerts.map(({ id, state }) => `${id} ${state}`), omitted }),
  });
  const add = (id: string | number, state: Alert["state"] = "firing", severity: Alert["severity"] = "warning") =>
    box.add({ id: String(id), rule: "instance", state, severity, subject: "", summary: "", since: "" });
  return { clock, sent, box, add };
}

test("an alert goes out within a second, with what comes in that second, and what goes on coming does not hold it up", () => {
  const { clock, sent, add } = outbox();
  for (let id = 1; id <= 4; id++) {
    add(id);
    clock.advance(400);
  }
  clock.advance(minute);
  expect(sent).toEqual([
    { at: 1_000, alerts: ["1 firing", "2 firing", "3 firing"], omitted: 0 },
    { at: 2_200, alerts: ["4 firing"], omitted: 0 },
  ]);
});

test("a storm: five messages, and one of all the rest when the minute is over", () => {
  const { clock, sent, add } = outbox();
  for (let id = 1; id <= 30; id++) {
    add(id);
    clock.advance(1_500);
  }
  clock.advance(2 * minute);
  expect(sent.map(({ at, alerts }) => [at, alerts.length])).toEqual([
    [1_000, 1],
    [2_500, 1],
    [4_000, 1],
    [5_500, 1],
    [7_000, 1],
    [61_000, 25],
  ]);
});

test("of what ended while it waited the end is told; more than a hundred are counted", () => {
  const { clock, sent, add } = outbox();
  add("brief");
  add("brief", "resolved");
  add("older", "resolved");
  for (let id = 1; id <= 110; id++) add(id);
  clock.advance(minute);
  expect(sent).toHaveLength(1);
  expect(sent[0]!.alerts.slice(0, 2)).toEqual(["brief passed", "older resolved"]);
  expect(sent[0]!.alerts).toHaveLength(100);
  expect(sent[0]!.omitted).toBe(12);
});

const night: QuietHoursSettings = { from: 22 * 60, to: 7 * 60, timeZone: "UTC", critical: "send" };

test("in quiet hours they wait for the end; what is critical does not, and takes along what waits", () => {
  const { clock, sent, add } = outbox({ quietHours: night });
  add(1);
  clock.advance(hour);
  add(2);
  expect(sent).toEqual([]);
  clock.advance(7 * hour);
  expect(sent).toEqual([{ at: 7 * hour, alerts: ["1 firing", "2 firing"], omitted: 0 }]);
  clock.advance(16 * hour);
  add(3);
  add(4, "firing", "critical");
  clock.advance(1_000);
  expect(sent[1]!.alerts).toEqual(["3 firing", "4 firing"]);
});

test("critical ones wait too if they are to", () => {
  const { clock, sent, add } = outbox({ quietHours: { ...night, critical: "hold" }, at: midnight + 6 * hour });
  add(1, "firing", "critical");
  clock.advance(hour - 1);
  expect(sent).toHaveLength(0);
  clock.advance(1);
  expect(sent).toHaveLength(1);
});

test("at the end of the process all goes out at once", () => {
  const { clock, sent, add, box } = outbox({ quietHours: night });
  add(1);
  box.flush();
  clock.advance(24 * hour);
  expect(sent).toEqual([{ at: 0, alerts: ["1 firing"], omitted: 0 }]);
});

test("quiet hours over midnight and within a day, in another time zone", () => {
  const berlin = { ...night, timeZone: "Europe/Berlin" };
  expect(quietFor(berlin, midnight)).toBe(6 * hour);
  expect(quietFor(berlin, midnight + 6 * hour)).toBe(0);
  expect(quietFor(berlin, midnight + 21 * hour - 1)).toBe(0);
  expect(quietFor(berlin, midnight + 21 * hour + 1)).toBe(9 * hour - 1);
  expect(quietFor({ ...night, from: 60, to: 120 }, midnight + 90 * minute)).toBe(30 * minute);
  expect(quietFor({ ...night, from: 60, to: 60 }, midnight + hour)).toBe(0);
});
