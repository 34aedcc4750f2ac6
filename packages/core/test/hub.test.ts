// What instances say to one another through their primary, and what they count together.
import { describe, expect, onTestFinished, test } from "vitest";
import { type ClusterStatus, hubChannel, sharedCounters } from "../src/index.ts";
import { PrimaryProcess } from "./support/primary-process.ts";

/** One instance, asked on its own port. */
async function ask(port: number, call: string, ...given: unknown[]): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: JSON.stringify({ call, given }) });
  const { result, error } = (await response.json()) as { result?: unknown; error?: { code: string; message: string } };
  if (error !== undefined) throw Object.assign(new Error(error.message), error);
  return result;
}

async function startHub(options: object = {}) {
  const primary = new PrimaryProcess("hub.ts", {
    env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 3, heartbeat: false, ...options }) },
  });
  const up = await primary.up();
  const call = (instance: number, name: string, ...given: unknown[]) =>
    ask(up.instances[instance - 1]!.port, name, ...given);
  return { primary, up, call };
}

const pidOf = ({ instances }: ClusterStatus, id: number) => instances[id - 1]!.pid!;

describe.each(["proxy", "handoff"] as const)("in %s mode", (mode) => {
  test("counters are exact over all instances, and end with their window", async () => {
    const { call } = await startHub({ mode });
    await Promise.all([1, 2, 3].map((instance) => call(instance, "addMany", "hits", 500)));
    expect(await call(2, "add", "hits", 2, 60_000)).toEqual({ total: 1_502, resetMs: expect.any(Number) });
    const reading = (await call(3, "get", "hits")) as { total: number; resetMs: number };
    expect(reading.total).toBe(1_502);
    expect(reading.resetMs).toBeGreaterThan(1_000);
    expect(reading.resetMs).toBeLessThanOrEqual(60_000);
    expect(await call(2, "getElsewhere", "hits")).toMatchObject({ total: 1_502 });
    expect(await call(1, "get", "other")).toBeUndefined();
    expect(await call(1, "delete", "hits")).toBe(true);
    expect(await call(2, "get", "hits")).toBeUndefined();
    await call(1, "add", "brief", 1, 30);
    await expect.poll(() => call(2, "add", "brief", 0, 30)).toMatchObject({ total: 0 });
    await expect(call(1, "add", "hits", Number.NaN, 1)).rejects.toMatchObject({ code: "LB_OPTION" });
    await expect(call(1, "add", "hits", 1, 0)).rejects.toMatchObject({ code: "LB_OPTION" });
    await expect(call(1, "add", "", 1, 1)).rejects.toMatchObject({ code: "LB_OPTION" });
  });

  test("a channel: to all, to one, in order, whatever the size; who comes and who goes", async () => {
    const { primary, up, call } = await startHub({ mode });
    for (const instance of [1, 2, 3]) await call(instance, "join");
    await expect.poll(() => call(1, "members")).toEqual(["2.1", "3.1"]);
    for (let n = 0; n < 20; n += 1) await call(1, "publish", `n${n}`);
    await call(1, "publishBytes", 3_000_000);
    await call(1, "send", "3.1", "for you");
    await call(1, "publish", "last");
    const sent = [...Array.from({ length: 20 }, (_, n) => `1.1 n${n}`), "1.1 3000000"];
    const said = async (instance: number) =>
      ((await call(instance, "heard")) as string[]).filter(
        (line) => line.startsWith("1.1") && !line.endsWith("joined"),
      );
    await expect.poll(() => said(2)).toEqual([...sent, "1.1 last"]);
    await expect.poll(() => said(3)).toEqual([...sent, "1.1 for you", "1.1 last"]);
    const { hub } = await primary.statusThat(({ hub: passed }) => passed.messages >= 23);
    expect(hub.channels).toBeGreaterThan(0);
    expect(hub.bytesIn).toBeGreaterThan(3_000_000);
    expect(hub.bytesOut).toBeGreaterThan(6_000_000);
    expect(await said(1)).toEqual([]);

    await call(1, "set", "key", "value", 60_000);
    process.kill(pidOf(up, 1), "SIGKILL");
    await expect.poll(() => call(2, "heard")).toContain("1.1 left");
    await primary.statusThat(({ instances }) => instances[0]!.state === "ready" && instances[0]!.pid !== pidOf(up, 1));
    expect(await call(1, "join")).toEqual({ self: "1.2", members: ["2.1", "3.1"] });
    await expect.poll(() => call(2, "heard")).toContain("1.2 joined");
    expect(await call(3, "read", "key")).toBe("value");
    expect(await call(1, "take", "key")).toBe("value");
    expect(await call(2, "take", "key")).toBeUndefined();
    await primary.close();
    expect(primary.stderr).toBe("");
  });
});

test("what is retained comes to all in one order, and is there for whoever missed it", async () => {
  const { primary, up, call } = await startHub();
  for (const instance of [1, 2]) await call(instance, "join");
  await call(1, "retain", "a1");
  await expect.poll(() => call(2, "heard")).toContain("1.1 retained a1");
  const seenAtOne = (await call(1, "position")) as string;
  await call(2, "retain", "b1");
  await expect.poll(() => call(1, "heard")).toContain("2.1 retained b1");
  await call(1, "retain", "a2");
  await expect.poll(() => call(2, "heard")).toContain("1.1 retained a2");
  expect(await call(2, "replay", seenAtOne)).toEqual(["2.1 b1", "1.1 a2"]);
  expect(await call(1, "replay", seenAtOne)).toEqual(["2.1 b1", "1.1 a2"]);
  process.kill(pidOf(up, 1), "SIGKILL");
  await primary.statusThat(({ instances }) => instances[0]!.state === "ready" && instances[0]!.pid !== pidOf(up, 1));
  // Neither was there when it was said: one is new, the other joins only now.
  expect(await call(1, "replay", seenAtOne)).toEqual(["2.1 b1", "1.1 a2"]);
  expect(await call(3, "replay", seenAtOne)).toEqual(["2.1 b1", "1.1 a2"]);
  for (const forged of ["", "0", "zzzzzzzzz-1-1.1", "1-1-0.1", "-1-1-1.1", "1-1-1.1\n", "💥"]) {
    expect(await call(3, "replay", forged)).toBe(false);
  }
});

test("an instance that does not read is cut off, told so, and loses nothing that is retained", async () => {
  const { primary, up, call } = await startHub({ instances: 2 });
  for (const instance of [1, 2]) await call(instance, "join");
  process.kill(pidOf(up, 2), "SIGSTOP");
  onTestFinished(() => void process.kill(pidOf(up, 2), "SIGCONT"));
  await call(1, "retain", "before");
  for (let sent = 0; sent < 5; sent += 1) {
    await call(1, "publishBytes", 16_777_216);
    // The answer comes after the primary has read it.
    await call(1, "get", "hits");
  }
  await primary.event("hub-overflow", ({ instance }) => instance === 2);
  await call(1, "retain", "meanwhile");
  await expect.poll(() => call(1, "heard")).toContain("2.1 left");
  process.kill(pidOf(up, 2), "SIGCONT");
  await expect.poll(() => call(2, "heard")).toContain("gap");
  await call(1, "retain", "after");
  await expect
    .poll(async () => ((await call(2, "heard")) as string[]).filter((line) => line.includes("retained")))
    .toEqual(["1.1 retained before", "1.1 retained meanwhile", "1.1 retained after"]);
  await expect.poll(() => call(1, "members")).toEqual(["2.1"]);
});

test("a process that is no instance is told so", async () => {
  expect(() => hubChannel("test")).toThrow(expect.objectContaining({ code: "LB_HUB_NO_INSTANCE" }));
  expect(() => hubChannel("")).toThrow(expect.objectContaining({ code: "LB_OPTION" }));
  expect(() => sharedCounters("x".repeat(1_025))).toThrow(expect.objectContaining({ code: "LB_OPTION" }));
  await expect(sharedCounters("test").add("key", 1, 1_000)).rejects.toMatchObject({ code: "LB_HUB_NO_INSTANCE" });
});

test("without the primary nothing hangs: whoever asks is told", async () => {
  const { primary, call } = await startHub({ instances: 2, drainTimeoutMs: 5_000 });
  for (const instance of [1, 2]) await call(instance, "join");
  process.kill(primary.pid, "SIGSTOP");
  const asked = call(1, "get", "hits");
  asked.catch(() => {});
  process.kill(primary.pid, "SIGKILL");
  await expect(asked).rejects.toMatchObject({ code: expect.stringMatching(/^LB_HUB_(CUT|LOST)$/) });
});
