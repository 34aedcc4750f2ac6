import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { httpGet, httpGetJson } from "./support/http-get.ts";
import { type PrimaryOptions, startPrimary } from "./support/primary-process.ts";
import { allGone } from "./support/processes.ts";

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  const withOptions = (options: object): PrimaryOptions => ({
    env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, mode, instances: 2, ...options }) },
  });

  describe("an instance that dies is replaced", () => {
    it("after SIGKILL under steady requests: only what was in flight on it may fail, and it is back within 3 s", async () => {
      const startedAt = performance.now();
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 3 }));
      // On a machine that has no time for either, it takes no longer than a start.
      const startMs = performance.now() - startedAt;
      const victim = up.instances[1]!;
      const failed: { readonly begunAt: number }[] = [];
      let running = true;
      const load = Array.from({ length: 4 }, async () => {
        while (running) {
          const begunAt = performance.now();
          // Where nobody stands between, a client sees its connection end.
          const hasFailed = await httpGet(`${up.url}/slow?ms=5`).then(
            ({ status }) => status !== 200,
            () => mode === "handoff",
          );
          if (hasFailed) failed.push({ begunAt });
        }
      });
      await primary.statusThat(({ instances }) => instances.every(({ requests }) => requests > 10));
      process.kill(victim.pid!, "SIGKILL");
      const killedAt = performance.now();
      await allGone([victim.pid!]);
      const goneAt = performance.now();
      const { instances } = await primary.statusThat(
        ({ instances: [, second] }) => second!.state === "ready" && second!.pid !== victim.pid,
      );
      expect(performance.now() - killedAt).toBeLessThan(Math.max(3_000, 3 * startMs));
      running = false;
      await Promise.all(load);
      expect(failed.filter(({ begunAt }) => begunAt > goneAt)).toEqual([]);
      expect(failed.length).toBeLessThanOrEqual(4);
      expect(instances[1]).toMatchObject({ id: 2, port: victim.port, restarts: 1 });
      expect(instances[0]!.pid).toBe(up.instances[0]!.pid);
      expect(instances[1]!.requests).toBeGreaterThan(10);
      expect(await primary.event("exit")).toMatchObject({ instance: 2, reason: "crashed", signal: "SIGKILL" });
      expect(primary.events.flatMap(({ name, argument }) => (name === "instance" ? argument.state : []))).toEqual([
        "stopped",
        "starting",
        "ready",
      ]);
      expect(await httpGetJson(`http://127.0.0.1:${victim.port}/whoami`)).toMatchObject({ pid: instances[1]!.pid });
    });

    it.each([
      ["FAULTS 17: an uncaught exception", "/throw", { exitCode: 1 }],
      ["FAULTS 18: exit code 0", "/exit?code=0", { exitCode: 0 }],
      ["exit code 3", "/exit?code=3", { exitCode: 3 }],
    ])("after %s", async (_, path, exit) => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1 }));
      // On its own port, so that the answer to this request is nobody's concern.
      await httpGet(`http://127.0.0.1:${up.instances[0]!.port}${path}`).catch(() => {});
      expect(await primary.event("exit")).toMatchObject({ instance: 1, reason: "crashed", ...exit });
      const { instances } = await primary.statusThat(
        ({ instances: [only] }) => only!.restarts === 1 && only!.state === "ready",
      );
      expect(instances[0]!.pid).not.toBe(up.instances[0]!.pid);
      expect(await httpGetJson(`${up.url}/whoami`)).toMatchObject({ pid: instances[0]!.pid });
    });

    it("FAULTS 10: in a crash loop slowly, while the rest keeps serving", async () => {
      const restart = { maxCrashes: 2, delayMs: 1, crashLoopDelayMs: 60_000 };
      const { primary, up } = await startPrimary("app.ts", withOptions({ restart }));
      const { port } = up.instances[0]!;
      for (let death = 1; death <= restart.maxCrashes + 1; death += 1) {
        await primary.statusThat(({ instances: [first] }) => first!.state === "ready");
        await httpGet(`http://127.0.0.1:${port}/exit?code=9`).catch(() => {});
        await primary.statusThat(
          ({ instances: [first] }) => first!.restarts === death || first!.state === "crash-loop",
        );
      }
      expect(await primary.event("crash-loop")).toMatchObject({ instance: 1, deaths: 3 });
      const { instances } = await primary.status();
      expect(instances).toMatchObject([
        { state: "crash-loop", pid: null },
        { state: "ready", restarts: 0 },
      ]);
      for (let request = 0; request < 5; request += 1) {
        expect(await httpGetJson(`${up.url}/whoami`)).toMatchObject({ INSTANCE_ID: "2" });
      }
    });
  });

  describe("a replacement that cannot start", () => {
    it("is an event, told once with the app's own stack, and is tried until it can", async () => {
      const marker = join(tmpdir(), `lb-test-marker-${process.pid}`);
      onTestFinished(() => rmSync(marker, { force: true }));
      const options = withOptions({ restart: { delayMs: 1 } });
      const { primary, up } = await startPrimary("broken.ts", {
        args: ["throws-when-marked"],
        env: { ...options.env, LB_TEST_MARKER: marker },
      });
      writeFileSync(marker, "");
      process.kill(up.instances[0]!.pid!, "SIGKILL");
      expect(await primary.event("start-failed")).toMatchObject({ instance: 1, error: { code: "LB_APP_THREW" } });
      expect(await primary.event("exit", ({ reason }) => reason === "start-failed")).toMatchObject({ instance: 1 });
      expect((await httpGet(up.url)).status).toBe(200);
      rmSync(marker);
      await primary.statusThat(({ instances }) => instances.every(({ state }) => state === "ready"));
      await expect
        .poll(() => primary.log)
        .toMatch(/the marker is there\n {4}Error: the marker is there\n {8}at .*broken\.ts/);
      expect(primary.log.match(/ {4}Error: the marker/g)).toHaveLength(1);
      expect(primary.stderr).toBe("");
    });
  });

  describe("the channel between primary and worker", () => {
    it("BAD-INPUTS 110, 113, 114: passes the app's own messages on and drops what only looks like ours", async () => {
      const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1 }));
      await httpGet(`${up.url}/send`);
      expect(await primary.event("message")).toEqual({
        kind: "message",
        instance: 1,
        pid: up.instances[0]!.pid,
        message: { "from the app": "1" },
      });
      expect((await primary.status()).instances).toMatchObject([{ state: "ready", restarts: 0 }]);
      expect(primary.events.filter(({ name }) => name === "message")).toHaveLength(1);
    });
  });
});
