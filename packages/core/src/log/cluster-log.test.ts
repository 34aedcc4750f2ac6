import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { ClusterStatus, InstanceStatus } from "../control/status.ts";
import type { ClusterEventMap, ClusterPhase } from "../events/cluster-event-map.ts";
import { ClusterEvents } from "../events/cluster-events.ts";
import { LbError } from "../model/errors.ts";
import { StartError } from "../model/start-error.ts";
import { ClusterLog } from "./cluster-log.ts";
import type { LogEntry } from "./log-entry.ts";

type Known = Pick<InstanceStatus, "id" | "state" | "pid" | "inFlight">;
const instance = (id: number, state: InstanceStatus["state"], pid: number | null = 100 + id, inFlight = 0): Known => ({
  id,
  state,
  pid,
  inFlight,
});
const stopped = { kind: "exit", reason: "stopped", exitCode: 0, signal: null, pid: 1 } as const;

class Logged {
  readonly clock = new ManualClock();
  readonly events = new ClusterEvents<ClusterEventMap>();
  readonly entries: LogEntry[] = [];
  instances = [1, 2].map((id) => instance(id, "starting"));

  constructor() {
    const head = { name: "shop", listeners: [{ url: "http://127.0.0.1:3000" }], mode: "proxy", pid: 7, admin: null };
    new ClusterLog({
      events: this.events,
      clock: this.clock,
      status: () => ({ ...head, backends: [], instances: this.instances }) as unknown as ClusterStatus,
      write: (entry) => this.entries.push(entry),
    });
    this.events.emit("phase", { phase: "starting" });
  }

  async phase(phase: ClusterPhase): Promise<void> {
    this.events.emit("phase", phase);
    await turn();
  }

  async becomes(...known: Parameters<typeof instance>): Promise<void> {
    const now = instance(...known);
    this.instances = this.instances.map((one) => (one.id === now.id ? now : one));
    this.events.emit("instance", now as InstanceStatus);
    await turn();
  }

  async passes(ms: number): Promise<string[]> {
    await turn();
    this.clock.advance(ms);
    await turn();
    return this.take();
  }

  take(): string[] {
    return this.entries.splice(0).map(({ message }) => message);
  }
}

const running = async () => {
  const logged = new Logged();
  for (const id of [1, 2]) await logged.becomes(id, "ready");
  await logged.phase({ phase: "running" });
  logged.take();
  return logged;
};

describe("the log of a cluster", () => {
  test("a quick start is one line", async () => {
    const logged = new Logged();
    for (const id of [1, 2]) await logged.becomes(id, "ready");
    await logged.phase({ phase: "running" });
    expect(logged.take()).toEqual(["shop listens on http://127.0.0.1:3000 with 2 instances, proxy mode, pid 7"]);
    expect(logged.clock.pending).toBe(0);
  });

  test("a slow one says how far it is, when that changes", async () => {
    const logged = new Logged();
    expect(await logged.passes(1_000)).toEqual(["starting: 0 of 2 ready"]);
    expect(await logged.passes(1_000)).toEqual([]);
    await logged.becomes(1, "ready");
    expect(await logged.passes(1_000)).toEqual(["starting: 1 of 2 ready"]);
  });

  test("what ends the start is the error of cluster(), and not told twice", async () => {
    const logged = new Logged();
    const error = new StartError(1, "LB_APP_THREW", "app.js threw: no");
    logged.events.emit("start-failed", { kind: "start-failed", instance: 1, pid: 1, error });
    logged.events.emit("phase", { phase: "failed" });
    expect(await logged.passes(5_000)).toEqual([]);
  });

  test("what does not end it is told", async () => {
    const logged = new Logged();
    const error = new StartError(1, "LB_START_TIMEOUT", "Instance 1 was not ready within 5000 ms.");
    logged.events.emit("start-failed", { kind: "start-failed", instance: 1, pid: 1, error });
    expect(await logged.passes(0)).toEqual(["Instance 1 was not ready within 5000 ms"]);
  });

  test("a crash, and the replacement", async () => {
    const logged = await running();
    logged.events.emit("exit", { ...stopped, reason: "crashed", instance: 2, exitCode: 1, restartInMs: 0 });
    await logged.becomes(2, "starting", 200);
    await logged.becomes(2, "ready", 200);
    expect(logged.take()).toEqual([
      "instance 2 (pid 1) crashed with exit code 1; a new one starts at once",
      "instance 2 is ready again (pid 200)",
    ]);
  });

  test("a drain says for whom it waits", async () => {
    const logged = await running();
    await logged.phase({ phase: "closing", signal: "SIGTERM", delayMs: 0, graceMs: 10_000 });
    await logged.becomes(1, "draining", 101, 3);
    await logged.becomes(2, "stopped", null);
    expect(await logged.passes(1_000)).toEqual([
      "SIGTERM: draining, for at most 10 s; a second signal ends it at once",
      "draining: 1 of 2 ended, 3 requests in flight, waiting for instance 1",
    ]);
    await logged.phase({ phase: "closed" });
    expect(logged.take()).toEqual(["all instances have ended, after 1 s"]);
    expect(logged.clock.pending).toBe(0);
  });

  test("what happens all the time is counted", async () => {
    const logged = await running();
    const failed = new LbError("LB_AFFINITY_KEY", "The key function threw: oops.");
    for (let n = 0; n < 1_000; n += 1) logged.events.emit("affinity-key-failed", failed);
    await turn();
    expect(logged.take()).toHaveLength(20);
    expect(await logged.passes(10_000)).toEqual(["980 more events of this kind (affinity-key-failed)"]);
  });
});
