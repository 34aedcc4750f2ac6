// What workers tell of themselves, and what becomes of those that fall silent or grow: FAULTS 12–15, in both modes.
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { httpGet } from "./support/http-get.ts";
import { Ledger } from "./support/ledger.ts";
import { type PrimaryOptions, PrimaryProcess } from "./support/primary-process.ts";

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  async function startCluster(options: object, more: PrimaryOptions = {}) {
    const ledger = new Ledger(more.finished);
    const primary = new PrimaryProcess("ledger.ts", {
      ...more,
      env: {
        LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode, instances: 2, ...options }),
        LB_TEST_LEDGER: ledger.path,
      },
    });
    const up = await primary.up();
    return { ledger, primary, up, port: up.port };
  }

  const heartbeat = { intervalMs: 100, outAfterMs: 1_500, killAfterMs: 60_000 };

  /** The same cluster for all tests of a block, which leave it as it was; events are those since the test began. */
  function oneCluster(options: object): { readonly current: Awaited<ReturnType<typeof startCluster>> } {
    let cluster: Awaited<ReturnType<typeof startCluster>> | undefined;
    beforeAll(async () => {
      const ends: (() => Promise<void>)[] = [];
      cluster = await startCluster(options, { finished: (end) => void ends.push(end) });
      return async () => {
        for (const end of ends.reverse()) await end();
      };
    });
    beforeEach(() => void cluster!.primary.events.splice(0));
    return {
      get current() {
        return cluster!;
      },
    };
  }

  const ofAll = oneCluster({ heartbeat, maxMemoryMb: 300 });

  describe("instances that are silent for a while", () => {
    test("status() tells how each instance is", async () => {
      const { primary, port } = ofAll.current;
      await httpGet(`http://127.0.0.1:${port}/work`);
      const { instances } = await primary.statusThat((status) =>
        status.instances.every(({ vitals }) => vitals !== null),
      );
      for (const { vitals } of instances) {
        expect(vitals!.loopUtilization).toBeLessThanOrEqual(1);
        expect(vitals!.rssBytes).toBeGreaterThan(vitals!.heapBytes!);
        expect(vitals!.heapBytes).toBeGreaterThan(1_000_000);
      }
    });

    test("FAULTS 12, 14: a stopped instance gets no new traffic, and is back when it speaks again", async () => {
      const { ledger, primary, up, port } = ofAll.current;
      const { id, pid } = up.instances[0]!;
      process.kill(pid!, "SIGSTOP");
      onTestFinished(() => void process.kill(pid!, "SIGCONT"));
      await primary.event("unresponsive", ({ instance }) => instance === id);
      await primary.statusThat(({ instances }) => instances[0]!.state === "unhealthy");
      for (let n = 0; n < 20; n += 1) {
        const result = await ledger.ask(port, "GET", "/work");
        expect(result).toMatchObject({ kind: "answered", status: 200, body: expect.not.stringContaining(String(pid)) });
      }
      process.kill(pid!, "SIGCONT");
      const { instances } = await primary.statusThat((status) => status.instances[0]!.state === "ready");
      expect([instances[0]!.pid, instances[0]!.restarts]).toEqual([pid, 0]);
      await expect
        .poll(async () => {
          const answers = await Promise.all(Array.from({ length: 8 }, () => ledger.ask(port, "GET", "/work")));
          return answers.some((answer) => answer.kind === "answered" && answer.body.startsWith(String(pid)));
        })
        .toBe(true);
      ledger.balance();
    });

    test("when all are silent, they are asked all the same", async () => {
      const { primary, up, port } = ofAll.current;
      for (const { pid } of up.instances) process.kill(pid!, "SIGSTOP");
      for (const { id } of up.instances) await primary.event("unresponsive", ({ instance }) => instance === id);
      const answer = httpGet(`http://127.0.0.1:${port}/version?id=waits`);
      for (const { pid } of up.instances) process.kill(pid!, "SIGCONT");
      expect((await answer).status).toBe(200);
    });
  });

  describe("silence for long", () => {
    const cluster = oneCluster({ heartbeat: { ...heartbeat, killAfterMs: 2_500 } });

    test("a pause of the primary itself is not taken for the workers' silence", async () => {
      const { primary, up } = cluster.current;
      process.kill(primary.pid, "SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      process.kill(primary.pid, "SIGCONT");
      const beats = async () => (await primary.status()).instances.map(({ pid, state }) => `${pid} ${state}`);
      for (let n = 0; n < 10; n += 1) expect(await beats()).toEqual(up.instances.map(({ pid }) => `${pid} ready`));
      expect(primary.events.filter(({ name }) => name === "unresponsive" || name === "exit")).toEqual([]);
    });

    test("FAULTS 13: one that is blocked for long is killed and replaced", async () => {
      const { primary, port } = cluster.current;
      const { body } = await httpGet(`http://127.0.0.1:${port}/block?ms=20000&id=blocks`);
      const pid = Number(body);
      const exit = await primary.event("exit", (event) => event.pid === pid);
      expect(exit).toMatchObject({ reason: "crashed", signal: "SIGKILL" });
      await primary.statusThat(({ instances }) => instances.every((one) => one.state === "ready" && one.pid !== pid));
    });
  });

  test("autoscale: grows with what is in flight, and shrinks after the cooldown, with nothing lost", async () => {
    const autoscale = { min: 1, max: 3, target: { inFlight: 4 }, intervalMs: 500, cooldownMs: 1_000 };
    const { ledger, primary, port } = await startCluster({ instances: undefined, autoscale });
    const busy = Array.from({ length: 12 }, () => httpGet(`http://127.0.0.1:${port}/work?ms=4000&id=busy`));
    expect(await primary.event("autoscale", ({ to }) => to === 3)).toMatchObject({ from: 1, load: 12 });
    await primary.statusThat(({ instances }) => instances.filter(({ state }) => state === "ready").length === 3);
    expect((await Promise.all(busy)).map(({ status }) => status)).toEqual(busy.map(() => 200));
    const during = ledger.ask(port, "GET", "/work");
    expect(await primary.event("autoscale", ({ to }) => to === 1)).toMatchObject({ load: 0 });
    expect(await during).toMatchObject({ status: 200 });
    expect((await primary.status()).instances).toHaveLength(1);
    ledger.balance();
  });

  // The last, since nobody is replaced for its size in its first five seconds.
  test("FAULTS 15: one that grows beyond maxMemoryMb is replaced under load, start before stop", async () => {
    const { ledger, primary, port } = ofAll.current;
    let running = true;
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (running) await ledger.ask(port, "POST", "/work?ms=5", "abc");
      }),
    );
    const { body } = await httpGet(`http://127.0.0.1:${port}/leak?mb=400&id=leaks`);
    const exceeded = await primary.event("memory-exceeded");
    expect(exceeded.rssBytes).toBeGreaterThan(300 * 1_048_576);
    const exit = await primary.event("exit", ({ pid }) => pid === Number(body));
    expect(exit.reason).toBe("replaced");
    running = false;
    await load;
    ledger.balance();
    expect(ledger.entries.filter(({ result }) => result.kind === "failed" || result.status !== 200)).toEqual([]);
    await primary.statusThat(({ instances }) => instances.every(({ state }) => state === "ready"));
  });
});

test("under a debugger nobody is killed for being silent", async () => {
  const primary = new PrimaryProcess("ledger.ts", {
    execArgv: ["--inspect=127.0.0.1:0"],
    env: {
      LB_TEST_OPTIONS: JSON.stringify({
        port: 0,
        instances: 1,
        heartbeat: { intervalMs: 50, outAfterMs: 100, killAfterMs: 200 },
      }),
      LB_TEST_LEDGER: new Ledger().path,
    },
  });
  const { port, instances } = await primary.up();
  const { body } = await httpGet(`http://127.0.0.1:${port}/block?ms=1500&id=x`);
  expect(Number(body)).toBe(instances[0]!.pid);
  expect((await httpGet(`http://127.0.0.1:${port}/version?id=y`)).status).toBe(200);
  expect((await primary.status()).instances[0]!.pid).toBe(instances[0]!.pid);
});

test("a heartbeat that cannot work is refused", async () => {
  const primary = new PrimaryProcess("ledger.ts", {
    env: {
      LB_TEST_OPTIONS: JSON.stringify({ port: 0, heartbeat: { intervalMs: 5_000 } }),
      LB_TEST_LEDGER: "/dev/null",
    },
  });
  const failed = await primary.failed();
  expect([failed.code, failed.message]).toEqual(["LB_OPTION", expect.stringContaining("heartbeat")]);
});
