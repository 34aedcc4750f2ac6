// The queue of requests that no instance takes: its bound and its time are options of the cluster.
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isUnread } from "./support/edge.ts";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { startPrimary } from "./support/primary-process.ts";

const modes = (["proxy", "handoff"] as const).filter((mode) => !isUnread(mode));

test.each(modes)("so many requests wait, for so long (%s)", async (mode) => {
  const queue = { maxWaiting: 2, maxWaitMs: 3_000 };
  const marker = join(tmpdir(), `lb-test-wait-queue-${process.pid}-${mode}`);
  onTestFinished(() => rmSync(marker, { force: true }));
  const { primary, up } = await startPrimary("broken.ts", {
    args: ["waits-while-marked"],
    env: { LB_TEST_OPTIONS: JSON.stringify({ mode, instances: 1, queue }), LB_TEST_MARKER: marker },
  });
  const waiting = (count: number) =>
    eventually(async () => (await primary.status()).waiting === count, { what: `${count} wait` });
  writeFileSync(marker, "");
  process.kill(up.instances[0]!.pid!, "SIGKILL");
  await primary.event("exit", () => true);

  const began = performance.now();
  const two = [httpGet(up.url), httpGet(up.url)] as const;
  await waiting(2);
  expect((await httpGet(up.url)).status).toBe(503);
  const first = await Promise.race(two);
  expect(performance.now() - began).toBeGreaterThanOrEqual(queue.maxWaitMs);
  expect(first).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
  expect((await Promise.all(two)).map(({ status }) => status)).toEqual([503, 503]);

  rmSync(marker);
  await eventually(async () => (await httpGet(up.url)).status === 200, { what: "the instance is there again" });
});
