// Reloads, restarts and scaling under load, with the ledger: FAULTS 38–42.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { httpGet } from "./support/http-get.ts";
import { Ledger } from "./support/ledger.ts";
import { type OperationError, type PrimaryOptions, PrimaryProcess } from "./support/primary-process.ts";

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  async function startCluster(options: object = {}, more: PrimaryOptions = {}) {
    const ledger = new Ledger();
    const folder = mkdtempSync(join(tmpdir(), "lb-version-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const deployed = join(folder, "version");
    const primary = new PrimaryProcess("ledger.ts", {
      ...more,
      env: {
        LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode, instances: 3, drainTimeoutMs: 5_000, ...options }),
        LB_TEST_LEDGER: ledger.path,
        LB_TEST_VERSION: deployed,
      },
    });
    const up = await primary.up();
    return {
      ledger,
      primary,
      port: up.port,
      ports: up.instances.map((instance) => instance.port),
      pids: up.instances.map(({ pid }) => pid!),
      deploy: (version: string) => writeFileSync(deployed, version),
      pidsNow: async () => (await primary.status()).instances.map(({ pid }) => pid!),
      versions: async () => {
        const answers = await Promise.all(
          Array.from({ length: 12 }, () => httpGet(`http://127.0.0.1:${up.port}/version`)),
        );
        return [...new Set(answers.map(({ body }) => body))].sort();
      },
    };
  }

  /** What a client may see that had a request with a worker when it died: through a proxy, and on a connection of its own. */
  const isHonest = ({ method, result }: Ledger["entries"][number]) =>
    mode === "proxy"
      ? method === "POST" && result.kind === "answered" && result.status === 502
      : result.kind === "failed";

  /** Requests on connections of their own, from many clients, until told to stop. */
  function load(ledger: Ledger, port: number, clients = 8) {
    let running = true;
    const done = Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        for (let n = client; running; n++) {
          await ledger.ask(port, n % 3 === 0 ? "POST" : "GET", "/work?ms=20", n % 3 === 0 ? "abc" : "");
        }
      }),
    );
    return async (crashes: "no worker died" | "a worker died" = "no worker died") => {
      running = false;
      await done;
      ledger.balance();
      const failed = ledger.entries.filter(({ result }) => result.kind === "failed" || result.status !== 200);
      // A POST that was with a worker when it died has one honest answer. Nothing else fails, ever.
      const excused = crashes === "a worker died" ? isHonest : () => false;
      expect(failed.filter((entry) => !excused(entry))).toEqual([]);
      // A deploy that fails at once is over soon: all that counts is that everybody was at it all the time.
      expect(ledger.entries.length).toBeGreaterThan(clients);
    };
  }

  const rejection = async (operation: Promise<unknown>): Promise<OperationError> => {
    try {
      await operation;
    } catch (error) {
      return error as OperationError;
    }
    throw new Error("It did not fail");
  };

  describe("reload()", () => {
    test("FAULTS 38: replaces all under load: none refused, none cut, direct access on the same ports", async () => {
      const { ledger, primary, port, ports, pids, pidsNow, deploy, versions } = await startCluster();
      const stop = load(ledger, port);
      deploy("v2");
      expect(await primary.operate("reload", { watchMs: 100 })).toMatchObject({ replaced: [1, 2, 3] });
      await stop();
      const after = await pidsNow();
      expect(after.filter((pid) => pids.includes(pid))).toEqual([]);
      expect(await versions()).toEqual(["v2"]);
      for (const direct of ports) {
        await expect.poll(async () => (await httpGet(`http://127.0.0.1:${direct}/version`)).body).toBe("v2");
      }
      const steps = primary.events.flatMap(({ name, argument }) =>
        name === "reload" ? `${argument.step} ${argument.instance ?? ""}` : [],
      );
      expect(steps).toEqual([
        "started ",
        ...[1, 2, 3].flatMap((id) => ["starting", "routed", "watched", "replaced"].map((step) => `${step} ${id}`)),
        "finished ",
      ]);
      const exits = primary.events.flatMap(({ name, argument }) => (name === "exit" ? argument.reason : []));
      expect(exits).toEqual(["replaced", "replaced", "replaced"]);
    });

    test("again and again: the ports stay, and nothing is left behind", async () => {
      const { ledger, primary, port, ports, deploy } = await startCluster({ instances: 2 });
      const stop = load(ledger, port, 4);
      for (const version of ["v2", "v3", "v4"]) {
        deploy(version);
        await primary.operate("reload", { watchMs: 0, parallelism: 2 });
        for (const direct of ports)
          await expect.poll(async () => (await httpGet(`http://127.0.0.1:${direct}/version`)).body).toBe(version);
      }
      await stop();
      const { instances } = await primary.status();
      expect(instances.map(({ port: own, state, restarts }) => ({ own, state, restarts }))).toEqual(
        ports.map((own) => ({ own, state: "ready", restarts: 3 })),
      );
    });

    test("SIGHUP does the same, and several of them no more than two", async () => {
      const { ledger, primary, port, pids, pidsNow, deploy, versions } = await startCluster({ instances: 2 });
      const stop = load(ledger, port, 4);
      deploy("v2");
      for (let n = 0; n < 5; n += 1) process.kill(primary.pid, "SIGHUP");
      await primary.event("reload", ({ step }) => step === "finished");
      await stop();
      expect(await versions()).toEqual(["v2"]);
      expect((await pidsNow()).filter((pid) => pids.includes(pid))).toEqual([]);
      const started = primary.events.filter(({ name, argument }) => name === "reload" && argument.step === "started");
      expect(started.length).toBeLessThanOrEqual(2);
    });

    test("FAULTS 40: two at once take turns", async () => {
      const { primary, pids, pidsNow } = await startCluster({ instances: 2 });
      await Promise.all([primary.operate("reload", { watchMs: 50 }), primary.operate("reload", { watchMs: 50 })]);
      const steps = primary.events.flatMap(({ name, argument }) => (name === "reload" ? argument.step : []));
      expect(steps.filter((step) => step === "started" || step === "finished")).toEqual([
        "started",
        "finished",
        "started",
        "finished",
      ]);
      const status = await primary.status();
      expect(status.instances.map(({ restarts }) => restarts)).toEqual([2, 2]);
      expect((await pidsNow()).filter((pid) => pids.includes(pid))).toEqual([]);
    });

    test("with maxUnavailable the old ones end first, and no process is more", async () => {
      const { ledger, primary, port, deploy, versions } = await startCluster();
      const stop = load(ledger, port);
      deploy("v2");
      await primary.operate("reload", { maxUnavailable: 1, watchMs: 50 });
      await stop();
      expect(await versions()).toEqual(["v2"]);
      const worked = ledger.lines().map((line) => line.split(" ")[1]);
      expect(new Set(worked).size).toBeLessThanOrEqual(6);
    });

    test.each([
      ["throws", "LB_RELOAD_START", "start"],
      ["hangs", "LB_RELOAD_START", "start"],
      ["exits", "LB_RELOAD_CRASHED", "start"],
      ["dies", "LB_RELOAD_CRASHED", "watch"],
      ["sick", "LB_RELOAD_UNHEALTHY", "verify"],
    ])("FAULTS 39: a version that %s is rolled back, and the old set keeps serving", async (version, code, step) => {
      const { ledger, primary, port, pids, pidsNow, deploy, versions } = await startCluster({
        // A start that is to succeed has the time that it needs on a busy machine.
        startTimeoutMs: version === "hangs" ? 2_500 : 20_000,
        health: { active: { path: "/healthz", intervalMs: 200, healthyAfter: 1 } },
      });
      const stop = load(ledger, port);
      deploy(version);
      const error = await rejection(primary.operate("reload", { watchMs: 3_000 }));
      expect(error).toMatchObject({ name: "ReloadError", code, step, instance: 1, replaced: [] });
      await stop(version === "dies" ? "a worker died" : "no worker died");
      expect(await pidsNow()).toEqual(pids);
      expect(await versions()).toEqual(["v1"]);
      const failed = await primary.event("reload", ({ step: now }) => now === "rolled-back");
      expect(failed).toMatchObject({ instance: 1, done: 0, total: 3 });
    });

    test('rollback: "set" takes back those that had passed before', async () => {
      const { ledger, primary, port, pids, pidsNow, deploy, versions } = await startCluster({ startTimeoutMs: 2_000 });
      const stop = load(ledger, port);
      deploy("v2");
      const reload = rejection(primary.operate("reload", { watchMs: 300, rollback: "set" }));
      await primary.event("reload", ({ step, instance }) => step === "watched" && instance === 2);
      deploy("throws");
      // Whether the third had read the version by then is not ours to say: only the failure is.
      const error = await reload;
      await stop();
      expect(error).toMatchObject({ instance: 3, replaced: [] });
      expect(await pidsNow()).toEqual(pids);
      expect(await versions()).toEqual(["v1"]);
    });

    test("FAULTS 42: a crash in the middle costs one instance at most, and the reload goes on", async () => {
      const { ledger, primary, port, pids, pidsNow } = await startCluster({ instances: 3 });
      const stop = load(ledger, port, 4);
      const reload = primary.operate("reload", { watchMs: 500 });
      await primary.event("reload", ({ step, instance }) => step === "routed" && instance === 1);
      // The third is not being replaced yet; it is restarted by itself, and then replaced.
      const sampled: number[] = [];
      process.kill(pids[2]!, "SIGKILL");
      const sample = async () => {
        const { instances } = await primary.status();
        sampled.push(instances.filter(({ state }) => state === "ready").length);
      };
      const sampling = setInterval(() => void sample(), 50);
      await reload;
      clearInterval(sampling);
      expect(Math.min(...sampled)).toBeGreaterThanOrEqual(2);
      expect((await pidsNow()).filter((pid) => pids.includes(pid))).toEqual([]);
      await stop("a worker died");
    });

    test("FAULTS 41: WebSockets stay on the old worker until the deadline, then they are closed with 1012", async () => {
      const { primary, port } = await startCluster({ instances: 1, drainTimeoutMs: 1_500 });
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
      onTestFinished(() => socket.terminate());
      const pid = await new Promise((resolve) => socket.once("message", (message) => resolve(String(message))));
      const closed = new Promise<{ code: number; at: number }>((resolve) => {
        socket.once("close", (code) => resolve({ code, at: performance.now() }));
      });
      const startedAt = performance.now();
      const reload = primary.operate("reload", { watchMs: 0 });
      await primary.event("reload", ({ step }) => step === "replaced");
      socket.send("still there?");
      expect(await new Promise((resolve) => socket.once("message", (message) => resolve(String(message))))).toBe(
        "still there?",
      );
      const { code, at } = await closed;
      expect(code).toBe(1012);
      expect(at - startedAt).toBeGreaterThan(1_400);
      await reload;
      expect((await primary.status()).instances[0]!.pid).not.toBe(Number(pid));
    });

    test("close() gives WebSockets the grace, then they are closed with 1012, while new ones are refused", async () => {
      const { primary, port } = await startCluster({ instances: 1 });
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
      onTestFinished(() => socket.terminate());
      await new Promise((resolve) => socket.once("message", resolve));
      const closed = new Promise<number>((resolve) => socket.once("close", resolve));
      const closing = primary.close(1_000);
      await expect
        .poll(() => new Promise((resolve) => connect(port).once("error", resolve).once("connect", resolve)))
        .toMatchObject({ code: "ECONNREFUSED" });
      socket.send("still there?");
      expect(await new Promise((resolve) => socket.once("message", (message) => resolve(String(message))))).toBe(
        "still there?",
      );
      expect(await closed).toBe(1012);
      await closing;
    });

    test("close() in the middle of it ends both generations", async () => {
      const { primary, deploy } = await startCluster({ startTimeoutMs: 20_000 });
      deploy("hangs");
      const failed = rejection(primary.operate("reload"));
      await primary.event("reload", ({ step }) => step === "starting");
      const closed = primary.close(1_000);
      expect(await failed).toMatchObject({ code: "LB_RELOAD_CLOSED" });
      await closed;
    });

    test("misuse is told at once", async () => {
      const { primary } = await startCluster({ instances: 1 });
      expect(await rejection(primary.operate("reload", { parallelism: 0 }))).toMatchObject({ code: "LB_OPTION" });
      expect(await rejection(primary.operate("restart", 2))).toMatchObject({ code: "LB_OPTION" });
      expect(await rejection(primary.operate("scale", 0))).toMatchObject({ code: "LB_OPTION" });
      expect(await rejection(primary.operate("drain", 1))).toMatchObject({ code: "LB_LAST_INSTANCE" });
    });
  });

  describe("a canary", () => {
    const canary = { share: 0.2, forMs: 1_500, minRequests: 20 };

    test("that does worse than the others is rolled back, and its clients had their requests repeated elsewhere", async () => {
      const { ledger, primary, port, pids, pidsNow, deploy, versions } = await startCluster();
      let running = true;
      const done = Promise.all(
        Array.from({ length: 8 }, async () => {
          while (running) await ledger.ask(port, "GET", "/work?ms=5");
        }),
      );
      deploy("flaky");
      const error = await rejection(primary.operate("reload", { canary }));
      running = false;
      await done;
      expect(error).toMatchObject({ code: "LB_RELOAD_CANARY", step: "canary", instance: 1, replaced: [] });
      expect(error.message).toMatch(/% of its requests failed, of the others' 0\.0 %/);
      const failed = ledger.entries.filter(({ result }) => result.kind === "failed" || result.status !== 200);
      // A front that hands off sees no response, and so can repeat no request.
      if (mode === "proxy") expect(failed).toEqual([]);
      else for (const { result } of failed) expect(result).toMatchObject({ kind: "answered", status: 503 });
      expect(await pidsNow()).toEqual(pids);
      expect(await versions()).toEqual(["v1"]);
    });

    test("that does as well as the others goes on to all, and the report says what was compared", async () => {
      const { ledger, primary, port, deploy, versions } = await startCluster();
      const stop = load(ledger, port);
      deploy("v2");
      const report = await primary.operate("reload", { canary, watchMs: 50 });
      await stop();
      expect(report).toMatchObject({
        replaced: [1, 2, 3],
        canary: { verdict: "as-good", canary: { failures: 0 }, stable: { failures: 0 } },
      });
      const { canary: tried, stable } = (report as { canary: Record<string, { requests: number }> }).canary;
      const share = tried!.requests / (tried!.requests + stable!.requests);
      expect(share).toBeGreaterThan(0.15);
      expect(share).toBeLessThan(0.25);
      expect(await versions()).toEqual(["v2"]);
    });
  });

  test("restart() replaces one instance, and no other", async () => {
    const { ledger, primary, port, pids, pidsNow } = await startCluster();
    const stop = load(ledger, port, 4);
    await primary.operate("restart", 2);
    await stop();
    const after = await pidsNow();
    expect([after[0], after[2]]).toEqual([pids[0], pids[2]]);
    expect(after[1]).not.toBe(pids[1]);
  });

  describe("scale()", () => {
    test("up and down under load: none refused, none cut, on consecutive ports", async () => {
      const { ledger, primary, port, ports } = await startCluster({ instances: 2 });
      const stop = load(ledger, port);
      await primary.operate("scale", 4);
      const { instances } = await primary.status();
      expect(instances.map((instance) => instance.port)).toEqual([0, 1, 2, 3].map((slot) => ports[0]! + slot));
      for (const { port: direct } of instances)
        expect((await httpGet(`http://127.0.0.1:${direct}/version`)).status).toBe(200);
      await primary.operate("scale", 1);
      expect((await primary.status()).instances.map(({ id, state }) => `${id} ${state}`)).toEqual(["1 ready"]);
      await primary.operate("scale", 3);
      await stop();
      const again = (await primary.status()).instances;
      expect(again.map(({ id, state }) => `${id} ${state}`)).toEqual(["1 ready", "2 ready", "3 ready"]);
      expect(new Set(ledger.lines().map((line) => line.split(" ")[1])).size).toBeGreaterThanOrEqual(4);
    });

    test("that cannot be started is taken back", async () => {
      const { primary, pids, pidsNow, deploy } = await startCluster({ instances: 2 });
      deploy("throws");
      expect(await rejection(primary.operate("scale", 4))).toMatchObject({ code: "LB_APP_THREW" });
      expect(await pidsNow()).toEqual(pids);
    });
  });

  test("drain() takes an instance out and keeps its process; resume() brings it back", async () => {
    const { ledger, primary, port, pids, pidsNow } = await startCluster();
    const stop = load(ledger, port);
    await primary.operate("drain", 2);
    expect((await primary.status()).instances.map(({ state }) => state)).toEqual(["ready", "drained", "ready"]);
    const begun = ledger.lines().filter((line) => line.endsWith(` ${pids[1]}`)).length;
    const before = ledger.entries.length;
    await expect.poll(() => ledger.entries.length).toBeGreaterThan(before + 50);
    expect(ledger.lines().filter((line) => line.endsWith(` ${pids[1]}`)).length).toBe(begun);
    expect(await pidsNow()).toEqual(pids);
    await primary.operate("resume", 2);
    await expect
      .poll(() => ledger.lines().filter((line) => line.endsWith(` ${pids[1]}`)).length)
      .toBeGreaterThan(begun);
    await stop();
  });
});
