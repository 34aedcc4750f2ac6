// Reloads under load, with the ledger: FAULTS 38, 40, 41.
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { deployments } from "./support/deployments.ts";
import { refuses } from "./support/edge.ts";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  const { startCluster, load, rejection } = deployments(mode);

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

    test("FAULTS 41: WebSockets stay on the old worker until the deadline, then they are closed with 1012", async () => {
      const { primary, port } = await startCluster({ instances: 1, drainTimeoutMs: 3_000 });
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
      expect(at - startedAt).toBeGreaterThan(2_900);
      await reload;
      expect((await primary.status()).instances[0]!.pid).not.toBe(Number(pid));
    });

    test("close() gives WebSockets the grace, then they are closed with 1012, while new ones are refused", async () => {
      const { primary, port } = await startCluster({ instances: 1 });
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
      onTestFinished(() => socket.terminate());
      await new Promise((resolve) => socket.once("message", resolve));
      const closed = new Promise<number>((resolve) => socket.once("close", resolve));
      const closing = primary.close(3_000);
      await eventually(() => refuses(port), { what: "connections are refused" });
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
});
