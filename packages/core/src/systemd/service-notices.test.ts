import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { InstanceState, InstanceStatus } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import { ClusterEvents } from "../events/cluster-events.ts";
import { ServiceNotices } from "./service-notices.ts";

function watched(watchdogMs?: number) {
  const clock = new ManualClock();
  const events = new ClusterEvents<ClusterEventMap>();
  const sent: string[] = [];
  let states: InstanceState[] = ["starting", "starting"];
  new ServiceNotices({
    events,
    clock,
    status: () => ({
      phase: "running",
      instances: states.map((state) => ({ state }) as InstanceStatus),
      backends: [],
    }),
    monotonicMicroseconds: () => 77n,
    send: (...assignments) => void sent.push(assignments.join(" ")),
    watchdogMs,
    ended: async () => void sent.push("(end)"),
  });
  return {
    clock,
    states: (...now: InstanceState[]) => {
      states = now;
    },
    emit: async <Name extends keyof ClusterEventMap & string>(name: Name, argument: ClusterEventMap[Name]) => {
      events.emit(name, argument);
      await Promise.resolve();
    },
    sent: () => sent.splice(0),
  };
}

test("a service that starts asks for patience, says when it is ready, and how it is", async () => {
  const { clock, states, emit, sent } = watched();
  await emit("phase", { phase: "starting" });
  clock.advance(1_000);
  expect(sent()).toEqual(["EXTEND_TIMEOUT_USEC=30000000", "STATUS=starting, 0 of 2 instances ready"]);
  states("ready", "starting");
  clock.advance(10_000);
  expect(sent()).toEqual(["STATUS=starting, 1 of 2 instances ready", "EXTEND_TIMEOUT_USEC=30000000"]);
  states("ready", "ready");
  await emit("phase", { phase: "running" });
  expect(sent()).toEqual(["READY=1 STATUS=2 of 2 instances ready"]);
  clock.advance(60_000);
  expect(sent()).toEqual([]);
  states("ready", "crash-loop");
  clock.advance(1_000);
  expect(sent()).toEqual(["STATUS=1 of 2 instances ready"]);
  await emit("phase", { phase: "closing", signal: "SIGTERM", delayMs: 1_000, graceMs: 10_000 });
  expect(sent()).toEqual(["STOPPING=1 STATUS=draining EXTEND_TIMEOUT_USEC=21000000"]);
  clock.advance(10_000);
  await emit("phase", { phase: "closed" });
  clock.advance(10_000);
  expect(sent()).toEqual(["(end)"]);
});

test("a reload is one from its first step to the last of all that are reloaded", async () => {
  const { clock, states, emit, sent } = watched();
  states("ready", "ready");
  await emit("phase", { phase: "running" });
  sent();
  await emit("reload", { step: "started", done: 0, total: 2 });
  await emit("reload", { step: "replaced", instance: 1, done: 1, total: 2 });
  clock.advance(5_000);
  await emit("reload", { backend: "py", step: "started", done: 0, total: 1 });
  await emit("reload", { step: "finished", done: 2, total: 2 });
  expect(sent()).toEqual([
    "RELOADING=1 MONOTONIC_USEC=77 STATUS=reloading, 0 of 2 replaced",
    "STATUS=reloading, 1 of 2 replaced",
    "STATUS=reloading, 0 of 1 replaced",
  ]);
  await emit("reload", { backend: "py", step: "rolled-back", instance: 1, done: 0, total: 1 });
  expect(sent()).toEqual(["READY=1 STATUS=2 of 2 instances ready"]);
});

test("the watchdog is told twice in its time, for as long as the event loop turns", async () => {
  const { clock, emit, sent } = watched(3_000);
  await emit("phase", { phase: "running" });
  sent();
  clock.advance(4_600);
  expect(sent()).toEqual(["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]);
  await emit("phase", { phase: "closed" });
  sent();
  clock.advance(10_000);
  expect(sent()).toEqual([]);
});
