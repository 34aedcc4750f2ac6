import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

test("a connection that was handed off costs the primary next to nothing", async () => {
  const fixture = fileURLToPath(new URL("./fixtures/handoff-memory.ts", import.meta.url));
  const child = fork(fixture, ["4000"], { execArgv: ["--expose-gc"] });
  onTestFinished(async () => {
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  });
  const [{ bytesPerConnection }] = (await once(child, "message")) as [{ bytesPerConnection: number }];
  expect(bytesPerConnection).toBeLessThan(200);
});
