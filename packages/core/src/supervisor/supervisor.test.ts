import { beforeEach, describe, expect, it, vi } from "vitest";
import type { FakeWorker } from "../../test/support/fake-worker.ts";
import { restart, Supervised } from "../../test/support/supervised.ts";

let one: Supervised;
beforeEach(() => {
  one = new Supervised();
});

describe("a supervisor whose workers were ready", () => {
  beforeEach(() => one.allReady());

  it("FAULTS 17, 18: takes a dead worker off the roster and replaces it at once, whatever its exit code", () => {
    one.worker(0).exit({ exitCode: 0 });
    expect(one.rosters).toEqual([["2.1"]]);
    expect(one.removed).toEqual(["1.1"]);
    expect(one.states()).toEqual(["stopped", "ready"]);
    one.clock.advance(0);
    expect(one.states()).toEqual(["starting", "ready"]);
    expect(one.worker(2).start.endpoint.id).toBe("1.2");
    one.worker(2).ready();
    expect(one.rosters.at(-1)).toEqual(["1.2", "2.1"]);
    expect(one.supervisor.snapshot()[0]).toMatchObject({ id: 1, pid: 102, restarts: 1, state: "ready" });
    expect(one.events).toEqual([
      { kind: "exit", instance: 1, pid: 100, reason: "crashed", exitCode: 0, signal: null, restartInMs: 0 },
      { kind: "starting", instance: 1, pid: 102 },
      { kind: "ready", instance: 1, pid: 102 },
    ]);
  });

  it("tells a new one of the others, and them of it, before traffic can come to it; of one that left a moment later", () => {
    const known: (readonly string[])[] = [];
    one.supervisor.subscribe((event) => {
      if (event.kind === "roster") known.push(one.workers.flatMap(({ peers }) => peers));
    });
    one.worker(0).exit();
    expect(one.worker(1).peers).toEqual(["1.1", "2.1"]);
    one.clock.advance(20);
    expect(one.worker(1).peers).toEqual(["2.1"]);
    known.length = 0;
    one.worker(0).peers = [];
    one.worker(2).ready();
    expect(known).toEqual([["1.2", "2.1", "1.2", "2.1"]]);
  });

  it("tells a canary of them, too, and whoever stands by", () => {
    const [slot] = one.supervisor.slots;
    slot!.startSuccessor(4_001, { ready: () => {}, failed: () => {} });
    one.worker(2).ready();
    slot!.tryOut();
    expect(one.worker(2).peers).toEqual(["1.1", "1.2", "2.1"]);
    slot!.promote();
    one.clock.advance(20);
    expect([one.worker(0).peers, one.worker(2).peers]).toEqual([
      ["1.2", "2.1"],
      ["1.2", "2.1"],
    ]);
  });

  it("tells who lives on without new traffic, where sessions are kept", () => {
    one.worker(0).observer.workerRetiring();
    expect(one.lingering).toEqual([]);
    one.worker(0).exit();
    one.keepsSessions = true;
    one.worker(1).observer.workerRetiring();
    expect(one.rosters.at(-1)).toEqual([]);
    expect(one.lingering).toEqual(["2.1"]);
    one.worker(1).exit();
    expect(one.lingering).toEqual([]);
  });

  it("does not count those that died, or lost their channel, among the living", () => {
    one.keepsSessions = true;
    one.worker(0).exit({ signal: "SIGKILL" });
    one.worker(1).observer.workerDetached();
    expect(one.rosters.at(-1)).toEqual([]);
    expect(one.lingering).toEqual([]);
  });

  it("FAULTS 10: slows a crash loop down, says so, and leaves the others alone", () => {
    for (let death = 0; death <= restart.maxCrashes; death += 1) {
      (death === 0 ? one.worker(0) : one.workers.at(-1)!).exit({ signal: "SIGSEGV" });
      one.clock.advance(1_000);
    }
    expect(one.events.at(-1)).toEqual({ kind: "crash-loop", instance: 1, deaths: 4, retryInMs: 30_000 });
    expect(one.workers).toHaveLength(2 + restart.maxCrashes);
    expect(one.worker(1).asked).toEqual([]);
    one.clock.advance(28_999);
    expect(one.workers).toHaveLength(2 + restart.maxCrashes);
    one.clock.advance(1);
    expect(one.workers).toHaveLength(3 + restart.maxCrashes);
    one.workers.at(-1)!.ready();
    expect(one.states()).toEqual(["ready", "ready"]);
  });

  it("shows a crash loop with how the last process ended, and when it is tried again", () => {
    for (let death = 0; death <= restart.maxCrashes; death += 1) {
      (death === 0 ? one.worker(0) : one.workers.at(-1)!).exit({ exitCode: 7 });
      one.clock.advance(death === restart.maxCrashes ? 10_000 : 1_000);
    }
    const lastExit = { reason: "crashed", exitCode: 7, signal: null, agoMs: 10_000 };
    expect(one.supervisor.snapshot()[0]).toMatchObject({ state: "crash-loop", pid: null, lastExit, retryInMs: 20_000 });
    one.clock.advance(20_000);
    expect(one.supervisor.snapshot()[0]).toMatchObject({ state: "starting", retryInMs: undefined });
    expect(one.supervisor.snapshot()[1]).toMatchObject({ lastExit: undefined, retryInMs: undefined });
  });

  it("never lets a pause stop the last instance: with nobody left the next one starts at once", () => {
    for (let death = 0; death < 20; death += 1) {
      one.worker(0).exit();
      for (const other of one.workers.slice(1)) other.exit();
      one.clock.advance(0);
      expect(one.states()).toContain("starting");
      one.workers.at(-1)!.ready();
      one.workers.splice(0, one.workers.length - 1);
    }
  });

  it("bounds how often that is: in a burst, then once a second, and less and less if nobody becomes ready", () => {
    const startsWithin = (ms: number, live: (worker: FakeWorker) => void) => {
      const before = one.workers.length;
      for (let passed = 0; passed < ms; passed += 100) {
        for (const worker of [...one.workers]) live(worker);
        one.clock.advance(100);
      }
      return one.workers.length - before;
    };
    const dead = new Set<FakeWorker>();
    const die = (worker: FakeWorker) => {
      if (dead.has(worker)) return;
      dead.add(worker);
      worker.exit();
    };
    startsWithin(60_000, (worker) => {
      if (!dead.has(worker)) worker.ready();
      die(worker);
    });
    const whileReady = startsWithin(60_000, (worker) => {
      if (!dead.has(worker)) worker.ready();
      die(worker);
    });
    expect(whileReady).toBeGreaterThanOrEqual(55);
    expect(whileReady).toBeLessThanOrEqual(75);
    startsWithin(60_000, die);
    expect(startsWithin(60_000, die)).toBeLessThanOrEqual(8);
  });

  it("tells before a worker ends whether it does so on an order", () => {
    const [, two] = one.supervisor.snapshot().map(({ endpoint }) => endpoint!);
    one.supervisor.worker(two!)?.discard();
    expect(one.fates).toEqual(["doomed 2.1"]);
    one.worker(0).exit({ exitCode: 1 });
    one.worker(1).exit({ signal: "SIGKILL" });
    expect(one.fates.splice(0)).toEqual(["doomed 2.1", "ended 1.1", "ended 2.1"]);
    one.clock.advance(0);
    one.worker(2).ready();
    one.worker(2).observer.workerRetiring();
    expect(one.fates).toEqual(["doomed 1.2"]);
  });

  it("forgets the count once a worker has been stable", () => {
    one.worker(0).exit();
    one.clock.advance(0);
    one.worker(2).exit();
    one.clock.advance(100);
    one.worker(3).ready();
    one.clock.advance(restart.stableAfterMs);
    one.worker(3).exit();
    one.clock.advance(0);
    expect(one.workers).toHaveLength(5);
  });

  it("reports a replacement that cannot start as an event, and goes on trying", () => {
    one.worker(0).exit();
    one.clock.advance(0);
    one.worker(2).observer.workerFailed({ code: "LB_PORT_BUSY", message: "3001 is taken" });
    expect(one.events.at(-1)).toMatchObject({ kind: "start-failed", instance: 1, error: { code: "LB_PORT_BUSY" } });
    one.worker(2).exit();
    expect(one.events.at(-1)).toMatchObject({ kind: "exit", reason: "start-failed" });
    one.clock.advance(100);
    expect(one.workers).toHaveLength(4);
  });

  it("drains a worker that was asked to end, off the roster first, and replaces it without counting a crash", () => {
    one.worker(1).observer.workerRetiring();
    expect(one.rosters).toEqual([["1.1"]]);
    expect(one.worker(1).asked).toEqual(["drain 10000"]);
    expect(one.states()).toEqual(["ready", "draining"]);
    one.worker(1).exit({ exitCode: 0 });
    expect(one.worker(2).start.endpoint.id).toBe("2.2");
    expect(one.kinds()).toEqual(["draining", "exit", "starting"]);
    expect(one.events[1]).toMatchObject({ reason: "retired" });
  });

  it("routes nothing to a worker that lost its channel, even while it lives", () => {
    one.worker(0).observer.workerDetached();
    expect(one.rosters).toEqual([["2.1"]]);
    expect(one.states()).toEqual(["draining", "ready"]);
    expect(one.workers).toHaveLength(2);
  });

  it("stops by draining all of them at once, and only once", async () => {
    const stopped = one.supervisor.stop(5_000);
    expect(one.workers.map(({ asked }) => asked)).toEqual([["drain 5000"], ["drain 5000"]]);
    const again = one.supervisor.stop(5_000);
    one.worker(0).exit();
    one.worker(1).exit();
    await Promise.all([stopped, again]);
    expect(one.rosters.at(-1)).toEqual([]);
    expect(one.events.filter((event) => event.kind === "exit")).toMatchObject([
      { reason: "stopped" },
      { reason: "stopped" },
    ]);
    expect(one.clock.pending).toBe(0);
    await one.supervisor.stop(5_000);
  });

  it("takes no more instances when it ends, and gives up on those that start", async () => {
    const scaled = one.supervisor.scale(3, 1_000);
    scaled.catch(() => {});
    await vi.waitFor(() => expect(one.workers).toHaveLength(3));
    const stopped = one.supervisor.stop(5_000);
    for (const worker of one.workers) worker.exit();
    await expect(scaled).rejects.toMatchObject({ code: "LB_CLOSED" });
    await stopped;
    await expect(one.supervisor.scale(4, 1_000)).rejects.toMatchObject({ code: "LB_CLOSED" });
    expect(one.workers).toHaveLength(3);
  });

  it("stops while a slot waits for its restart", async () => {
    one.worker(0).exit();
    const stopped = one.supervisor.stop(5_000);
    one.worker(1).exit();
    await stopped;
    one.clock.advance(60_000);
    expect(one.workers).toHaveLength(2);
  });

  it("kills them all, and what dies then stays dead", () => {
    one.supervisor.kill();
    one.worker(0).exit();
    one.worker(1).exit();
    one.clock.advance(60_000);
    expect(one.workers.map(({ asked }) => asked)).toEqual([["kill"], ["kill"]]);
  });

  it("kills a worker that was found broken, unless it is another one by now", () => {
    const broken = one.supervisor.snapshot()[0]!.endpoint!;
    one.supervisor.worker(broken)?.discard();
    expect(one.worker(0).asked).toEqual(["kill"]);
    one.worker(0).exit({ signal: "SIGKILL" });
    one.clock.advance(0);
    one.worker(2).ready();
    one.supervisor.worker(broken)?.discard();
    expect(one.worker(2).asked).toEqual([]);
  });

  it("passes on what the app sends", () => {
    one.worker(0).observer.workerMessage({ hello: "primary" });
    expect(one.events).toEqual([{ kind: "message", instance: 1, pid: 100, message: { hello: "primary" } }]);
  });
});

it("routes around a worker that is silent, and kills one that remains so", async () => {
  one = new Supervised({ heartbeat: { intervalMs: 1_000, outAfterMs: 3_000, killAfterMs: 5_000 } });
  await one.allReady();
  const vitals = { cpu: 0, loopUtilization: 0, loopLagMs: 0, rssBytes: 0, heapBytes: 0 };
  const pass = (ms: number) => {
    for (let left = ms; left > 0; left -= 500) {
      one.worker(0).observer.workerVitals(vitals);
      one.clock.advance(500);
    }
  };
  pass(3_000);
  expect(one.events).toEqual([{ kind: "unresponsive", instance: 2, pid: 101, silentMs: 3_000 }]);
  expect([one.rosters, one.supervisor.snapshot().map(({ silent }) => silent)]).toEqual([[["1.1"]], [false, true]]);
  one.worker(1).observer.workerVitals(vitals);
  expect([one.rosters.at(-1), one.events.at(-1)]).toEqual([
    ["1.1", "2.1"],
    { kind: "responsive", instance: 2, pid: 101 },
  ]);
  pass(5_000);
  expect([one.rosters.at(-1), one.worker(1).asked]).toEqual([["1.1"], ["kill"]]);
  one.worker(1).exit({ signal: "SIGKILL" });
  expect(one.events.at(-1)).toMatchObject({ kind: "exit", instance: 2, reason: "crashed" });
});
