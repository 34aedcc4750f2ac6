// FAULTS 1, 2, 10 and 76 with requests that kill their instance: real processes, real deaths, the ledger.
import { expect, test } from "vitest";
import { Ledger } from "./support/ledger.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { steadyTraffic } from "./support/steady-traffic.ts";

async function startCluster(options: object) {
  const ledger = new Ledger();
  const primary = new PrimaryProcess("ledger.ts", {
    env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, ...options }), LB_TEST_LEDGER: ledger.path },
  });
  const up = await primary.up();
  const exits = () => primary.events.filter(({ name }) => name === "exit").length;
  return { ledger, primary, port: up.port, exits };
}

const hows = ["exit", "throw", "later", "kill"] as const;

test("FAULTS 1, 2, 10, 76: twenty poison requests among steady traffic cost at most two instances each, and nobody else anything", async () => {
  const { ledger, primary, port, exits } = await startCluster({ instances: 4 });
  const traffic = steadyTraffic(ledger, port);
  const poisons: Promise<unknown>[] = [];
  for (let n = 0; n < 20; n += 1) {
    const seen = traffic.answered;
    poisons.push(ledger.ask(port, "GET", `/poison?how=${hows[n % hows.length]}`));
    await expect.poll(() => traffic.answered, { timeout: 20_000, interval: 10 }).toBeGreaterThan(seen + 10);
  }
  for (const result of await Promise.all(poisons)) expect(result).toMatchObject({ kind: "answered", status: 502 });
  await traffic.stop();
  expect(traffic.failed).toEqual([]);
  for (const [id, times] of ledger.worked()) expect(times, id).toBeLessThanOrEqual(3);
  expect(exits()).toBeLessThanOrEqual(40);
  expect((await primary.status()).pid).toBe(primary.pid);
  ledger.balance();
});

test("FAULTS 2: what an instance had begun to answer when it was killed is answered by another one, if it was small", async () => {
  const { ledger, primary, port } = await startCluster({ instances: 3 });
  const traffic = steadyTraffic(ledger, port, { path: "/split?ms=20" });
  for (let death = 1; death <= 3; death += 1) {
    const seen = traffic.answered;
    await expect.poll(() => traffic.answered, { timeout: 20_000, interval: 10 }).toBeGreaterThan(seen + 30);
    const { instances } = await primary.status();
    process.kill(instances[1]!.pid!, "SIGKILL");
    await primary.statusThat(({ instances: [, second] }) => second!.state === "ready" && second!.restarts === death);
  }
  await traffic.stop();
  expect(traffic.failed).toEqual([]);
  ledger.balance();
});

test("a POST that kills its instance is not repeated, one instance is all it costs", async () => {
  const { ledger, primary, port, exits } = await startCluster({ instances: 2 });
  expect(await ledger.ask(port, "POST", "/poison?how=exit")).toMatchObject({ kind: "answered", status: 502 });
  expect(await ledger.ask(port, "GET", "/work")).toMatchObject({ status: 200 });
  await primary.event("exit");
  await primary.statusThat(({ instances }) => instances.every(({ state }) => state === "ready"));
  expect(exits()).toBe(1);
  ledger.balance();
});

test.each(["proxy", "handoff"])(
  "FAULTS 10: however often its instances are killed, somebody answers within moments (%s)",
  async (mode) => {
    const restart = { maxCrashes: 1, crashLoopDelayMs: 60_000 };
    const { ledger, primary, port } = await startCluster({ mode, instances: 2, restart });
    for (let death = 0; death < 8; death += 1) {
      await ledger.ask(port, "POST", "/poison?how=exit");
      const askedAt = performance.now();
      const result = await ledger.ask(port, "GET", "/work");
      // Where nobody stands between, a connection may just have gone to the one that died.
      if (mode === "proxy" || result.kind === "answered") expect(result).toMatchObject({ status: 200 });
      // One that waits for the loop to be over waits for a minute.
      expect(performance.now() - askedAt).toBeLessThan(15_000);
    }
    const { instances } = await primary.status();
    expect(instances.map(({ state }) => state)).toContain("crash-loop");
    const looping = instances.find(({ state }) => state === "crash-loop")!;
    expect(looping).toMatchObject({ pid: null, lastExit: { reason: "crashed", exitCode: 7, signal: null } });
    expect(looping.retryInMs).toBeGreaterThan(10_000);
  },
);
