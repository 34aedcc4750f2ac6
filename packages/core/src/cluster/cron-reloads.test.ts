import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { CronReloads } from "./cron-reloads.ts";

/** Of the wall clock, which goes as the other one does, but where it is set. */
function reloads(pattern: string | undefined, from: string) {
  const clock = new ManualClock();
  let base = new Date(from).getTime();
  const at: string[] = [];
  const wallClock = () => base + clock.now();
  const made = new CronReloads({
    pattern,
    clock,
    wallClock,
    reload: () => at.push(new Date(wallClock()).toTimeString().slice(0, 8)),
  });
  made.begin();
  const pass = (minutes: number) => {
    for (let second = 0; second < minutes * 60; second += 1) clock.advance(1_000);
  };
  const set = (ms: number) => {
    base += ms;
  };
  return { at, pass, made, set };
}

test("at the times that it says, in local time, until it is stopped", () => {
  const { at, pass, made } = reloads("*/30 4 * * *", "2026-03-01T03:59:50");
  pass(35);
  expect(at).toEqual(["04:00:00", "04:30:00"]);
  made.stop();
  pass(60 * 24);
  expect(at).toHaveLength(2);
});

test("what a clock that was set has skipped is not made up for", () => {
  const { at, pass, set } = reloads("0 * * * *", "2026-03-01T03:59:50");
  set(2 * 3_600_000);
  pass(1);
  expect(at).toEqual([]);
  pass(60);
  expect(at).toEqual(["07:00:00"]);
});

test("without a pattern never", () => {
  const { at, pass } = reloads(undefined, "2026-03-01T03:59:50");
  pass(10);
  expect(at).toEqual([]);
});
