// Instances that are replaced, added, taken away or kept out of rotation under load, with the ledger.
import { describe, expect, test } from "vitest";
import { deployments } from "./support/deployments.ts";
import { httpGet } from "./support/http-get.ts";
import { RawClient } from "./support/raw-client.ts";

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  const { startCluster, load, rejection } = deployments(mode);

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

  test("drain() resolves when what the instance had is answered", async () => {
    const { primary, port } = await startCluster({ instances: 2 });
    const client = await RawClient.ofTest(port);
    client.send("GET /work?ms=800 HTTP/1.1\r\nHost: x\r\nX-Request: 1\r\n\r\n");
    const answered = client.response().then(({ status }) => ({ status, at: performance.now() }));
    const { instances } = await primary.statusThat((status) => status.instances.some(({ inFlight }) => inFlight === 1));
    await primary.operate("drain", instances.find(({ inFlight }) => inFlight === 1)!.id);
    const drainedAt = performance.now();
    expect((await primary.status()).instances.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
    const { status, at } = await answered;
    expect(status).toBe(200);
    // Which of the two is heard of first is not certain; the time for the drain, ten seconds, has nothing to do with it.
    expect(drainedAt - at).toBeLessThan(6_000);
  });
});
