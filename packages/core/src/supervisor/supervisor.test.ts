import { beforeEach, describe, expect, it, vi } from "vitest";
import { FakeWorker } from "../../test/support/fake-worker.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { decodeWorkerFacts, workerFactsVariable } from "../ipc/worker-facts.ts";
import type { HeartbeatSettings, StartParallelism } from "../options/life-options.ts";
import { isWorkerEvent, type WorkerEvent } from "./events.ts";
import { SharedPorts } from "./shared-ports.ts";
import { Supervisor } from "./supervisor.ts";

const restart = { delayMs: 100, maxDelayMs: 1_000, stableAfterMs: 10_000, maxCrashes: 3, crashLoopDelayMs: 30_000 };

const secret = "what signs cookies";

describe("supervisor", () => {
  let clock: ManualClock;
  /** Every worker that was launched, in that order. */
  let workers: FakeWorker[];
  let events: WorkerEvent[];
  let rosters: string[][];
  let lingering: readonly string[];
  let fates: string[];
  let keepsSessions: boolean;
  let startParallelism: StartParallelism;
  let heartbeat: HeartbeatSettings | false;
  let ports: number[];
  let removed: string[];
  let supervisor: Supervisor;
  let first: Promise<void>;
  let firstResult: "pending" | "ready" | Error;

  beforeEach(() => {
    startParallelism = "all";
    heartbeat = false;
    ports = [3001, 3002];
    begin();
  });

  const begin = () => {
    clock = new ManualClock();
    [workers, events, rosters, removed, firstResult] = [[], [], [], [], "pending"];
    [lingering, keepsSessions, fates] = [[], false, []];
    supervisor = new Supervisor({
      entry: { file: "/srv/app.js", args: [], execArgv: [], cwd: "/srv" },
      host: "127.0.0.1",
      gate: { options: {}, secret },
      heartbeat,
      env: { GREETING: "hello" },
      startTimeoutMs: 30_000,
      startParallelism,
      waitReady: false,
      portEnv: "own",
      unused: () => Promise.resolve(),
      sharedPorts: new SharedPorts({ publicHost: "127.0.0.1" }),
      drainTimeoutMs: 10_000,
      stopSignal: "SIGTERM",
      restart,
      intakes: {
        parent: "/run",
        pathFor: (id) => `/run/${id}.sock`,
        hubPath: "/run/hub.sock",
        removePath: (id) => void removed.push(id),
        remove: () => {},
      },
      clock,
      random: () => 1,
      launch: (spec, observer) => {
        const worker = new FakeWorker(workers.length + 100, spec, observer);
        workers.push(worker);
        return worker;
      },
      keepsSessions: () => keepsSessions,
    });
    supervisor.subscribe((event) => {
      if (event.kind === "roster") {
        rosters.push(event.taking.map((endpoint) => endpoint.id));
        lingering = event.lingering.map((endpoint) => endpoint.id);
      } else if (isWorkerEvent(event)) events.push(event);
      else if (event.kind !== "vitals") fates.push(`${event.kind} ${event.endpoint.id}`);
    });
    first = supervisor.start({ public: 3000, own: ports });
    first.then(
      () => {
        firstResult = "ready";
      },
      (error: Error) => {
        firstResult = error;
      },
    );
  };

  const worker = (index: number): FakeWorker => workers[index]!;
  const kinds = () => events.map((event) => event.kind);
  const states = () => supervisor.snapshot().map((instance) => instance.state);
  const allReady = async () => {
    worker(0).ready();
    worker(1).ready();
    await first;
    events.length = 0;
    rosters.length = 0;
  };

  describe("in the first start", () => {
    it("routes to each worker as soon as it is ready, and is done when all are", async () => {
      worker(1).ready();
      expect(rosters).toEqual([["2.1"]]);
      await Promise.resolve();
      expect(firstResult).toBe("pending");
      worker(0).ready();
      await first;
      expect(rosters.at(-1)).toEqual(["1.1", "2.1"]);
      expect(states()).toEqual(["ready", "ready"]);
      expect(kinds()).toEqual(["starting", "starting", "ready", "ready"]);
    });

    it("gives every worker its environment and its private facts", () => {
      const { env } = worker(1).spec;
      expect(env).toMatchObject({
        PATH: process.env["PATH"],
        GREETING: "hello",
        PORT: "3002",
        INSTANCE_PORT: "3002",
        HOST: "127.0.0.1",
        INSTANCE_ID: "2",
        NODE_APP_INSTANCE: "1",
      });
      expect(decodeWorkerFacts(env[workerFactsVariable]!)).toEqual({
        endpointId: "2.1",
        slot: 1,
        intakePath: "/run/2.1.sock",
        hubPath: "/run/hub.sock",
        host: "127.0.0.1",
        port: 3002,
        ownPort: 3002,
        primaryPid: process.pid,
        publicPort: 3000,
        drainTimeoutMs: 10_000,
        stopSignal: "SIGTERM",
        heartbeatMs: 0,
        pipedOutput: false,
        handoff: true,
      });
      expect(Object.values(env).join()).not.toContain(secret);
      expect(worker(1).spec.gate).toEqual({ options: {}, secret });
    });

    it("rejects with what a worker reports, its stack kept", async () => {
      worker(0).observer.workerFailed({
        code: "LB_APP_THREW",
        message: "no database",
        stack: "Error: no database\n at app",
      });
      await expect(first).rejects.toMatchObject({
        code: "LB_APP_THREW",
        instance: 1,
        message: "no database",
        cause: { stack: "Error: no database\n at app" },
      });
      expect(worker(0).asked).toEqual(["terminate"]);
    });

    it("FAULTS 8: retries a crash, never routes to it, and rejects when it has become a loop", async () => {
      for (let death = 0; death <= restart.maxCrashes; death += 1) {
        expect(firstResult).toBe("pending");
        workers.at(-1)!.exit({ exitCode: 3 });
        clock.advance(1_000);
      }
      await expect(first).rejects.toMatchObject({
        code: "LB_CRASH_LOOP",
        instance: 2,
        message: expect.stringContaining("exit code 3"),
      });
      expect(rosters).toEqual([]);
    });

    it("FAULTS 9: replaces a worker that hangs once, rejects when its successor hangs too", async () => {
      worker(0).observer.workerStartTimedOut("server", []);
      expect(worker(0).asked).toEqual(["terminate"]);
      worker(0).exit({ signal: "SIGTERM" });
      clock.advance(0);
      expect(workers).toHaveLength(3);
      await Promise.resolve();
      expect(firstResult).toBe("pending");
      worker(2).observer.workerStartTimedOut("call", []);
      await expect(first).rejects.toMatchObject({ code: "LB_START_TIMEOUT", instance: 1 });
    });

    it("says so when the process cannot even be made", async () => {
      for (let death = 0; death <= restart.maxCrashes; death += 1) {
        workers.at(-1)!.exit({ spawnError: new Error("spawn EAGAIN") });
        clock.advance(1_000);
      }
      await expect(first).rejects.toMatchObject({ code: "LB_CRASH_LOOP", cause: { message: "spawn EAGAIN" } });
    });

    it.each([
      ["first", [1, 4, 4, 4]],
      [1, [1, 2, 3, 4]],
      [3, [3, 4, 4, 4]],
      ["all", [4, 4, 4, 4]],
    ] as const)("starts as many at a time as it is told: %s", async (parallelism, running) => {
      startParallelism = parallelism;
      ports = [3001, 3002, 3003, 3004];
      begin();
      expect(
        running.map(() => {
          const count = workers.length;
          workers.find(({ asked }) => asked.length === 0)!.ready();
          workers.find(({ asked }) => asked.length === 0)!.asked.push("is ready");
          return count;
        }),
      ).toEqual(running);
      await first;
      expect(states()).toEqual(["ready", "ready", "ready", "ready"]);
    });

    it("ends what has not started and starts nothing any more when stopped", async () => {
      worker(0).ready();
      const stopped = supervisor.stop(5_000);
      expect(workers.map(({ asked }) => asked)).toEqual([["drain 5000"], ["terminate"]]);
      worker(0).exit();
      worker(1).exit();
      await stopped;
      expect(states()).toEqual(["stopped", "stopped"]);
      expect(clock.pending).toBe(0);
      expect(workers).toHaveLength(2);
    });
  });

  describe("afterwards", () => {
    beforeEach(allReady);

    it("FAULTS 17, 18: takes a dead worker off the roster and replaces it at once, whatever its exit code", () => {
      worker(0).exit({ exitCode: 0 });
      expect(rosters).toEqual([["2.1"]]);
      expect(removed).toEqual(["1.1"]);
      expect(states()).toEqual(["stopped", "ready"]);
      clock.advance(0);
      expect(states()).toEqual(["starting", "ready"]);
      expect(decodeWorkerFacts(worker(2).spec.env[workerFactsVariable]!)).toMatchObject({
        endpointId: "1.2",
      });
      worker(2).ready();
      expect(rosters.at(-1)).toEqual(["1.2", "2.1"]);
      expect(supervisor.snapshot()[0]).toMatchObject({ id: 1, pid: 102, restarts: 1, state: "ready" });
      expect(events).toEqual([
        { kind: "exit", instance: 1, pid: 100, reason: "crashed", exitCode: 0, signal: null, restartInMs: 0 },
        { kind: "starting", instance: 1, pid: 102 },
        { kind: "ready", instance: 1, pid: 102 },
      ]);
    });

    it("tells who lives on without new traffic, where sessions are kept", () => {
      worker(0).observer.workerRetiring();
      expect(lingering).toEqual([]);
      worker(0).exit();
      keepsSessions = true;
      worker(1).observer.workerRetiring();
      expect(rosters.at(-1)).toEqual([]);
      expect(lingering).toEqual(["2.1"]);
      worker(1).exit();
      expect(lingering).toEqual([]);
    });

    it("does not count those that died, or lost their channel, among the living", () => {
      keepsSessions = true;
      worker(0).exit({ signal: "SIGKILL" });
      worker(1).observer.workerDetached();
      expect(rosters.at(-1)).toEqual([]);
      expect(lingering).toEqual([]);
    });

    it("FAULTS 10: slows a crash loop down, says so, and leaves the others alone", () => {
      for (let death = 0; death <= restart.maxCrashes; death += 1) {
        (death === 0 ? worker(0) : workers.at(-1)!).exit({ signal: "SIGSEGV" });
        clock.advance(1_000);
      }
      expect(events.at(-1)).toEqual({ kind: "crash-loop", instance: 1, deaths: 4, retryInMs: 30_000 });
      expect(workers).toHaveLength(2 + restart.maxCrashes);
      expect(worker(1).asked).toEqual([]);
      clock.advance(28_999);
      expect(workers).toHaveLength(2 + restart.maxCrashes);
      clock.advance(1);
      expect(workers).toHaveLength(3 + restart.maxCrashes);
      workers.at(-1)!.ready();
      expect(states()).toEqual(["ready", "ready"]);
    });

    it("shows a crash loop with how the last process ended, and when it is tried again", () => {
      for (let death = 0; death <= restart.maxCrashes; death += 1) {
        (death === 0 ? worker(0) : workers.at(-1)!).exit({ exitCode: 7 });
        clock.advance(death === restart.maxCrashes ? 10_000 : 1_000);
      }
      const lastExit = { reason: "crashed", exitCode: 7, signal: null, agoMs: 10_000 };
      expect(supervisor.snapshot()[0]).toMatchObject({ state: "crash-loop", pid: null, lastExit, retryInMs: 20_000 });
      clock.advance(20_000);
      expect(supervisor.snapshot()[0]).toMatchObject({ state: "starting", retryInMs: undefined });
      expect(supervisor.snapshot()[1]).toMatchObject({ lastExit: undefined, retryInMs: undefined });
    });

    it("never lets a pause stop the last instance: with nobody left the next one starts at once", () => {
      for (let death = 0; death < 20; death += 1) {
        worker(0).exit();
        for (const one of workers.slice(1)) one.exit();
        clock.advance(0);
        expect(states()).toContain("starting");
        workers.at(-1)!.ready();
        workers.splice(0, workers.length - 1);
      }
    });

    it("bounds how often that is: in a burst, then once a second, and less and less if nobody becomes ready", () => {
      const startsWithin = (ms: number, live: (worker: FakeWorker) => void) => {
        const before = workers.length;
        for (let passed = 0; passed < ms; passed += 100) {
          for (const one of [...workers]) live(one);
          clock.advance(100);
        }
        return workers.length - before;
      };
      const dead = new Set<FakeWorker>();
      const die = (one: FakeWorker) => {
        if (dead.has(one)) return;
        dead.add(one);
        one.exit();
      };
      startsWithin(60_000, (one) => {
        if (!dead.has(one)) one.ready();
        die(one);
      });
      const whileReady = startsWithin(60_000, (one) => {
        if (!dead.has(one)) one.ready();
        die(one);
      });
      expect(whileReady).toBeGreaterThanOrEqual(55);
      expect(whileReady).toBeLessThanOrEqual(75);
      startsWithin(60_000, die);
      expect(startsWithin(60_000, die)).toBeLessThanOrEqual(8);
    });

    it("tells before a worker ends whether it does so on an order", () => {
      const [, two] = supervisor.snapshot().map(({ endpoint }) => endpoint!);
      supervisor.worker(two!)?.discard();
      expect(fates).toEqual(["doomed 2.1"]);
      worker(0).exit({ exitCode: 1 });
      worker(1).exit({ signal: "SIGKILL" });
      expect(fates.splice(0)).toEqual(["doomed 2.1", "ended 1.1", "ended 2.1"]);
      clock.advance(0);
      worker(2).ready();
      worker(2).observer.workerRetiring();
      expect(fates).toEqual(["doomed 1.2"]);
    });

    it("forgets the count once a worker has been stable", () => {
      worker(0).exit();
      clock.advance(0);
      worker(2).exit();
      clock.advance(100);
      worker(3).ready();
      clock.advance(restart.stableAfterMs);
      worker(3).exit();
      clock.advance(0);
      expect(workers).toHaveLength(5);
    });

    it("reports a replacement that cannot start as an event, and goes on trying", () => {
      worker(0).exit();
      clock.advance(0);
      worker(2).observer.workerFailed({ code: "LB_PORT_BUSY", message: "3001 is taken" });
      expect(events.at(-1)).toMatchObject({ kind: "start-failed", instance: 1, error: { code: "LB_PORT_BUSY" } });
      worker(2).exit();
      expect(events.at(-1)).toMatchObject({ kind: "exit", reason: "start-failed" });
      clock.advance(100);
      expect(workers).toHaveLength(4);
    });

    it("drains a worker that was asked to end, off the roster first, and replaces it without counting a crash", () => {
      worker(1).observer.workerRetiring();
      expect(rosters).toEqual([["1.1"]]);
      expect(worker(1).asked).toEqual(["drain 10000"]);
      expect(states()).toEqual(["ready", "draining"]);
      worker(1).exit({ exitCode: 0 });
      expect(worker(2).spec.endpointId).toBe("2.2");
      expect(kinds()).toEqual(["draining", "exit", "starting"]);
      expect(events[1]).toMatchObject({ reason: "retired" });
    });

    it("routes nothing to a worker that lost its channel, even while it lives", () => {
      worker(0).observer.workerDetached();
      expect(rosters).toEqual([["2.1"]]);
      expect(states()).toEqual(["draining", "ready"]);
      expect(workers).toHaveLength(2);
    });

    it("stops by draining all of them at once, and only once", async () => {
      const stopped = supervisor.stop(5_000);
      expect(workers.map(({ asked }) => asked)).toEqual([["drain 5000"], ["drain 5000"]]);
      const again = supervisor.stop(5_000);
      worker(0).exit();
      worker(1).exit();
      await Promise.all([stopped, again]);
      expect(rosters.at(-1)).toEqual([]);
      expect(events.filter((event) => event.kind === "exit")).toMatchObject([
        { reason: "stopped" },
        { reason: "stopped" },
      ]);
      expect(clock.pending).toBe(0);
      await supervisor.stop(5_000);
    });

    it("takes no more instances when it ends, and gives up on those that start", async () => {
      const scaled = supervisor.scale(3, 1_000);
      scaled.catch(() => {});
      await vi.waitFor(() => expect(workers).toHaveLength(3));
      const stopped = supervisor.stop(5_000);
      for (const one of workers) one.exit();
      await expect(scaled).rejects.toMatchObject({ code: "LB_CLOSED" });
      await stopped;
      await expect(supervisor.scale(4, 1_000)).rejects.toMatchObject({ code: "LB_CLOSED" });
      expect(workers).toHaveLength(3);
    });

    it("stops while a slot waits for its restart", async () => {
      worker(0).exit();
      const stopped = supervisor.stop(5_000);
      worker(1).exit();
      await stopped;
      clock.advance(60_000);
      expect(workers).toHaveLength(2);
    });

    it("kills them all, and what dies then stays dead", () => {
      supervisor.kill();
      worker(0).exit();
      worker(1).exit();
      clock.advance(60_000);
      expect(workers.map(({ asked }) => asked)).toEqual([["kill"], ["kill"]]);
    });

    it("kills a worker that was found broken, unless it is another one by now", () => {
      const broken = supervisor.snapshot()[0]!.endpoint!;
      supervisor.worker(broken)?.discard();
      expect(worker(0).asked).toEqual(["kill"]);
      worker(0).exit({ signal: "SIGKILL" });
      clock.advance(0);
      worker(2).ready();
      supervisor.worker(broken)?.discard();
      expect(worker(2).asked).toEqual([]);
    });

    it("passes on what the app sends", () => {
      worker(0).observer.workerMessage({ hello: "primary" });
      expect(events).toEqual([{ kind: "message", instance: 1, pid: 100, message: { hello: "primary" } }]);
    });
  });

  it("routes around a worker that is silent, and kills one that remains so", async () => {
    heartbeat = { intervalMs: 1_000, outAfterMs: 3_000, killAfterMs: 5_000 };
    begin();
    await allReady();
    const vitals = { cpu: 0, loopUtilization: 0, loopLagMs: 0, rssBytes: 0, heapBytes: 0 };
    const pass = (ms: number) => {
      for (let left = ms; left > 0; left -= 500) {
        worker(0).observer.workerVitals(vitals);
        clock.advance(500);
      }
    };
    pass(3_000);
    expect(events).toEqual([{ kind: "unresponsive", instance: 2, pid: 101, silentMs: 3_000 }]);
    expect([rosters, supervisor.snapshot().map(({ silent }) => silent)]).toEqual([[["1.1"]], [false, true]]);
    worker(1).observer.workerVitals(vitals);
    expect([rosters.at(-1), events.at(-1)]).toEqual([["1.1", "2.1"], { kind: "responsive", instance: 2, pid: 101 }]);
    pass(5_000);
    expect([rosters.at(-1), worker(1).asked]).toEqual([["1.1"], ["kill"]]);
    worker(1).exit({ signal: "SIGKILL" });
    expect(events.at(-1)).toMatchObject({ kind: "exit", instance: 2, reason: "crashed" });
  });
});
