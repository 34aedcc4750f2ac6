import { beforeEach, describe, expect, it } from "vitest";
import { restart, Supervised } from "../../test/support/supervised.ts";

let one: Supervised;
beforeEach(() => {
  one = new Supervised();
});

describe("a supervisor in its first start", () => {
  it("routes to each worker as soon as it is ready, and is done when all are", async () => {
    one.worker(1).ready();
    expect(one.rosters).toEqual([["2.1"]]);
    await Promise.resolve();
    expect(one.firstResult).toBe("pending");
    one.worker(0).ready();
    await one.first;
    expect(one.rosters.at(-1)).toEqual(["1.1", "2.1"]);
    expect(one.states()).toEqual(["ready", "ready"]);
    expect(one.kinds()).toEqual(["starting", "starting", "ready", "ready"]);
  });

  it("says of every worker which it is, and where", () => {
    const { endpoint, ...places } = one.worker(1).start;
    expect(endpoint).toEqual({
      id: "2.1",
      slot: 1,
      incarnation: 1,
      weight: 1,
      address: { kind: "unix", path: "/run/2.1.sock" },
    });
    expect(places).toEqual({
      port: 3002,
      ownPort: 3002,
      publicPort: 3000,
      isSuccessor: false,
      edition: { env: {}, cwd: "/srv" },
    });
  });

  it("rejects with what a worker reports, its stack kept", async () => {
    one.worker(0).observer.workerFailed({
      code: "LB_APP_THREW",
      message: "no database",
      stack: "Error: no database\n at app",
    });
    await expect(one.first).rejects.toMatchObject({
      code: "LB_APP_THREW",
      instance: 1,
      message: "no database",
      cause: { stack: "Error: no database\n at app" },
    });
    expect(one.worker(0).asked).toEqual(["terminate"]);
  });

  it("FAULTS 8: retries a crash, never routes to it, and rejects when it has become a loop", async () => {
    for (let death = 0; death <= restart.maxCrashes; death += 1) {
      expect(one.firstResult).toBe("pending");
      one.workers.at(-1)!.exit({ exitCode: 3 });
      one.clock.advance(1_000);
    }
    await expect(one.first).rejects.toMatchObject({
      code: "LB_CRASH_LOOP",
      instance: 2,
      message: expect.stringContaining("exit code 3"),
    });
    expect(one.rosters).toEqual([]);
  });

  it("FAULTS 9: replaces a worker that hangs once, rejects when its successor hangs too", async () => {
    one.worker(0).observer.workerStartTimedOut("it has opened no port");
    expect(one.worker(0).asked).toEqual(["terminate"]);
    one.worker(0).exit({ signal: "SIGTERM" });
    one.clock.advance(0);
    expect(one.workers).toHaveLength(3);
    await Promise.resolve();
    expect(one.firstResult).toBe("pending");
    one.worker(2).observer.workerStartTimedOut("it has opened no port");
    await expect(one.first).rejects.toMatchObject({ code: "LB_START_TIMEOUT", instance: 1 });
  });

  it("says so when the process cannot even be made", async () => {
    for (let death = 0; death <= restart.maxCrashes; death += 1) {
      one.workers.at(-1)!.exit({ spawnError: new Error("spawn EAGAIN") });
      one.clock.advance(1_000);
    }
    await expect(one.first).rejects.toMatchObject({ code: "LB_CRASH_LOOP", cause: { message: "spawn EAGAIN" } });
  });

  it.each([
    ["first", [1, 4, 4, 4]],
    [1, [1, 2, 3, 4]],
    [3, [3, 4, 4, 4]],
    ["all", [4, 4, 4, 4]],
  ] as const)("starts as many at a time as it is told: %s", async (parallelism, running) => {
    one = new Supervised({ startParallelism: parallelism, ports: [3001, 3002, 3003, 3004] });
    expect(
      running.map(() => {
        const count = one.workers.length;
        one.workers.find(({ asked }) => asked.length === 0)!.ready();
        one.workers.find(({ asked }) => asked.length === 0)!.asked.push("is ready");
        return count;
      }),
    ).toEqual(running);
    await one.first;
    expect(one.states()).toEqual(["ready", "ready", "ready", "ready"]);
  });

  it("ends what has not started and starts nothing any more when stopped", async () => {
    one.worker(0).ready();
    const stopped = one.supervisor.stop(5_000);
    expect(one.workers.map(({ asked }) => asked)).toEqual([["drain 5000"], ["terminate"]]);
    one.worker(0).exit();
    one.worker(1).exit();
    await stopped;
    expect(one.states()).toEqual(["stopped", "stopped"]);
    expect(one.clock.pending).toBe(0);
    expect(one.workers).toHaveLength(2);
  });
});
