// Workers that are told to end, what they have started, and what they do without their primary.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { clustersToEnd } from "./support/clusters-to-end.ts";
import { refuses } from "./support/edge.ts";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { startPrimary } from "./support/primary-process.ts";
import { allGone, descendantsOf, isAlive } from "./support/processes.ts";

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  const { withOptions, inFlight, helperOf } = clustersToEnd(mode);

  describe("SIGTERM to a worker", () => {
    it("drains it, with nothing lost, and replaces it", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({}));
      const [first, second] = up.instances.map(({ pid }) => pid!);
      const slow = Array.from({ length: 4 }, () => httpGet(`${up.url}/slow?ms=1000`));
      await inFlight(primary, 4);
      let running = true;
      const statuses = new Set<number>();
      const load = (async () => {
        while (running) statuses.add((await httpGet(`${up.url}/whoami`, { method: "POST" })).status);
      })();
      process.kill(first!, "SIGTERM");
      expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      expect(await primary.event("exit")).toMatchObject({ instance: 1, pid: first, reason: "retired", exitCode: 0 });
      const { instances } = await primary.statusThat(({ instances: [one] }) => one!.state === "ready");
      running = false;
      await load;
      expect([...statuses]).toEqual([200]);
      expect(instances).toMatchObject([{ restarts: 1 }, { restarts: 0, pid: second }]);
    });

    it("loses nothing when the app has the usual handler, which closes the server and exits", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1 }));
      await httpGet(`${up.url}/close`);
      const slow = httpGet(`${up.url}/slow?ms=500`, { method: "POST" });
      await inFlight(primary, 1);
      process.kill(up.instances[0]!.pid!, "SIGTERM");
      expect(await slow).toMatchObject({ status: 200, body: "slow but sure" });
      expect(await primary.event("exit")).toMatchObject({ reason: "retired", exitCode: 0 });
    });

    it("does not wait for a primary that does not answer", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1 }));
      primary.kill("SIGSTOP");
      process.kill(up.instances[0]!.pid!, "SIGTERM");
      await allGone([up.instances[0]!.pid!]);
      primary.kill("SIGCONT");
      expect(await primary.event("exit")).toMatchObject({ instance: 1 });
      await primary.statusThat(({ instances: [only] }) => only!.restarts === 1 && only!.state === "ready");
    });

    it("lets requests finish that a drain of ours has left it, and a second one does not", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 2 }));
      const slow = (ms: number) =>
        httpGet(`${up.url}/slow?ms=${ms}`, { method: "POST" }).then(
          ({ status }) => status,
          () => "cut off",
        );
      const short = [slow(1_500), slow(1_500)];
      const long = [slow(60_000), slow(60_000)];
      await inFlight(primary, 4);
      const scaled = primary.operate("scale", 1);
      await primary.event("instance", ({ state }) => state === "draining");
      process.kill(up.instances[1]!.pid!, "SIGTERM");
      expect(await Promise.all(short)).toEqual([200, 200]);
      process.kill(up.instances[1]!.pid!, "SIGTERM");
      expect(await Promise.race(long)).toBe(mode === "proxy" ? 502 : "cut off");
      await scaled;
    });

    it("to all processes of a service at once, as systemd does, loses nothing", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({}));
      const slow = Array.from({ length: 4 }, () => httpGet(`${up.url}/slow?ms=800`, { method: "POST" }));
      await inFlight(primary, 4);
      for (const pid of [primary.pid, ...up.instances.map(({ pid }) => pid!)]) process.kill(pid, "SIGTERM");
      expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      expect(await primary.exited).toEqual({ code: 0, signal: null });
    });

    it("a second one ends it at once", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1 }));
      const { pid } = up.instances[0]!;
      const cut = httpGet(`${up.url}/slow?ms=60000`, { method: "POST" }).then(
        ({ status }) => status,
        () => "cut off",
      );
      await inFlight(primary, 1);
      process.kill(pid!, "SIGTERM");
      await primary.statusThat(({ instances: [only] }) => only!.state === "draining");
      process.kill(pid!, "SIGTERM");
      expect(await primary.event("exit")).toMatchObject({ reason: "retired", signal: "SIGTERM" });
      expect(await cut).toBe(mode === "proxy" ? 502 : "cut off");
    });
  });

  describe("what a worker has started ends with it", () => {
    it("when it is killed, before a successor starts", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1 }));
      const helper = await helperOf(up.instances[0]!);
      process.kill(up.instances[0]!.pid!, "SIGKILL");
      await primary.event("exit");
      expect(isAlive(helper)).toBe(false);
    });

    it("when the cluster closes, and nothing of the cluster is left", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({}));
      const helper = await helperOf(up.instances[1]!);
      const all = descendantsOf(primary.pid);
      expect(all).toContain(helper);
      await primary.close();
      expect(isAlive(helper)).toBe(false);
      await primary.exited;
      await allGone(all, 1_000);
    });

    it("when a second signal ends it all", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1, drainTimeoutMs: 60_000 }));
      const helper = await helperOf(up.instances[0]!);
      httpGet(`${up.url}/slow?ms=60000`).catch(() => {});
      await inFlight(primary, 1);
      primary.kill("SIGTERM");
      await eventually(() => refuses(up.port), { what: "connections are refused" });
      primary.kill("SIGTERM");
      await primary.exited;
      await allGone([helper, up.instances[0]!.pid!]);
    });
  });

  describe("FAULTS 37: SIGKILL of the primary", () => {
    it("leaves no orphan: the workers finish what they have, and end", async () => {
      const directory = mkdtempSync(join(tmpdir(), "lb-test-"));
      onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
      const { env } = withOptions({});
      const { primary, up } = await startPrimary("app.ts", { env: { ...env, TMPDIR: directory } });
      const [first, second] = up.instances.map(({ pid }) => pid!);
      const direct = httpGet(`http://127.0.0.1:${up.instances[0]!.port}/slow?ms=1500`);
      // In hand-off mode the client's connection does not need the primary any more.
      const handed = mode === "handoff" ? httpGet(`${up.url}/slow?ms=1500`) : undefined;
      if (handed !== undefined) await inFlight(primary, 1);
      const held = httpGet(`http://127.0.0.1:${up.instances[1]!.port}/hold`);
      await held;
      primary.kill("SIGKILL");
      await primary.exited;
      if (handed === undefined) await allGone([second!]);
      expect(isAlive(first!)).toBe(true);
      expect(await direct).toMatchObject({ body: "slow but sure" });
      if (handed !== undefined) expect(await handed).toMatchObject({ body: "slow but sure" });
      await allGone([first!, second!]);
      expect(readdirSync(directory)).toEqual([]);
    });

    it("ends a worker that is blocked, and what workers started, when the drain's time is over", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ drainTimeoutMs: 200 }));
      const [helper] = await Promise.all(up.instances.slice(0, 1).map(helperOf));
      const busy = up.instances[1]!;
      await httpGet(`http://127.0.0.1:${busy.port}/busy`);
      const all = descendantsOf(primary.pid);
      expect(all).toEqual(expect.arrayContaining([helper, busy.pid]));
      primary.kill("SIGKILL");
      await primary.exited;
      await allGone(all, 8_000);
    });

    it("takes at most the drain's time", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1, drainTimeoutMs: 300 }));
      const cut = httpGet(`http://127.0.0.1:${up.instances[0]!.port}/slow?ms=60000`).then(
        () => "answered",
        () => "cut",
      );
      primary.kill("SIGKILL");
      await allGone([up.instances[0]!.pid!], 5_000);
      expect(await cut).toBe("cut");
    });
  });
});
