// Reloads that are taken back, and those that something else disturbs: FAULTS 39, 42.
import { describe, expect, test } from "vitest";
import { deployments } from "./support/deployments.ts";

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  const { startCluster, load, rejection } = deployments(mode);

  describe("reload()", () => {
    test.each([
      ["throws", "LB_RELOAD_START", "start"],
      ["hangs", "LB_RELOAD_START", "start"],
      ["exits", "LB_RELOAD_START", "start"],
      ["is killed", "LB_RELOAD_CRASHED", "start"],
      ["dies", "LB_RELOAD_CRASHED", "watch"],
      ["sick", "LB_RELOAD_UNHEALTHY", "verify"],
    ])("FAULTS 39: a version that %s is rolled back, and the old set keeps serving", async (version, code, step) => {
      const { ledger, primary, port, pids, pidsNow, deploy, versions } = await startCluster({
        // A start that is to succeed has the time that it needs on a busy machine.
        startTimeoutMs: version === "hangs" || version === "sick" ? 2_500 : 20_000,
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

    test("a new worker that somebody ends by SIGTERM while it is watched has not replaced anybody", async () => {
      const { ledger, primary, port, pids, pidsNow } = await startCluster({ instances: 1 });
      const stop = load(ledger, port);
      const reload = rejection(primary.operate("reload", { watchMs: 10_000 }));
      await primary.event("reload", ({ step }) => step === "routed");
      const pid = (await primary.status()).instances[0]!.pid!;
      expect(pids).not.toContain(pid);
      process.kill(pid, "SIGTERM");
      expect(await reload).toMatchObject({ code: "LB_RELOAD_CRASHED", step: "watch", replaced: [] });
      await stop();
      expect(await pidsNow()).toEqual(pids);
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
  });

  describe("a canary", () => {
    // How fast each of them is, is the machine's affair.
    const canary = { share: 0.2, forMs: 1_500, minRequests: 10, maxLatencyIncrease: 1_000 };

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
      const requests = tried!.requests + stable!.requests;
      // On a busy machine there are few of them.
      expect(Math.abs(tried!.requests / requests - 0.2)).toBeLessThan(
        Math.max(0.05, 4 * Math.sqrt((0.2 * 0.8) / requests)),
      );
      expect(await versions()).toEqual(["v2"]);
    });
  });
});
