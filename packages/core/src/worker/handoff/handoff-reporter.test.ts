import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import type { LoadReport } from "../../ipc/handoff-messages.ts";
import { HandoffReporter, reportIntervalMs } from "./handoff-reporter.ts";

function set() {
  const clock = new ManualClock();
  const sent: { readonly at: number; readonly report: LoadReport }[] = [];
  let inFlight = 0;
  const waiting = { count: 0 };
  /** By how much the event loop is late. */
  const loop = { lateMs: 0 };
  const reporter = new HandoffReporter({
    clock: { now: () => clock.now() + loop.lateMs, after: (ms, call) => clock.after(ms, call) },
    take: () => ({
      inFlight,
      unanswered: waiting.count,
      succeeded: 0,
      errors: [],
      reset: 0,
      cancelled: 0,
      meanLatencyMs: 0,
      maxLatencyMs: 0,
      connections: 0,
      relayed: 0,
      tunnels: 0,
    }),
    send: (report) => sent.push({ at: clock.now(), report }),
  });
  const change = () => {
    inFlight++;
    reporter.change();
  };
  return { clock, loop, sent, reporter, change, waiting };
}

test("the first change after a while is reported at the end of its turn, with all that the turn brought", async () => {
  const { sent, change } = set();
  change();
  change();
  expect(sent).toEqual([]);
  await nextTurn();
  expect(sent.map(({ report }) => report.inFlight)).toEqual([2]);
});

test("then one report an interval, and none when nothing changes", async () => {
  const { clock, sent, change } = set();
  for (let ms = 0; ms < 1_000; ms += 10) {
    change();
    await nextTurn();
    clock.advance(10);
  }
  expect(sent.map(({ at }) => at)).toEqual(Array.from({ length: 11 }, (_, n) => n * reportIntervalMs));
  clock.advance(10_000);
  expect(sent).toHaveLength(11);
  expect(clock.pending).toBe(0);
  change();
  await nextTurn();
  expect(sent).toHaveLength(12);
});

test("while a response is awaited it is reported: nobody tells when it begins", async () => {
  const { clock, sent, change, waiting } = set();
  waiting.count = 1;
  change();
  await nextTurn();
  clock.advance(3 * reportIntervalMs);
  expect(sent).toHaveLength(4);
  waiting.count = 0;
  clock.advance(10_000);
  expect(sent.at(-1)!.report.unanswered).toBe(0);
  expect(sent).toHaveLength(5);
  expect(clock.pending).toBe(0);
});

test("what a report that is due comes late by is the event loop's lag", async () => {
  const { clock, loop, sent, change } = set();
  change();
  await nextTurn();
  change();
  clock.advance(reportIntervalMs);
  expect(sent[1]!.report.loopLagMs).toBe(0);
  change();
  loop.lateMs = 400;
  clock.advance(reportIntervalMs);
  expect(sent[2]!.report.loopLagMs).toBe(400);
});

test("at its end it tells what it has not told, and then nothing more", async () => {
  const { clock, sent, change, reporter } = set();
  change();
  await nextTurn();
  change();
  reporter.stop();
  expect(sent.map(({ report }) => report.inFlight)).toEqual([1, 2]);
  change();
  reporter.stop();
  await nextTurn();
  clock.advance(10 * reportIntervalMs);
  expect(sent).toHaveLength(2);
  expect(clock.pending).toBe(0);
});
