import { describe, expect, it } from "vitest";
import { httpGet } from "./support/http-get.ts";
import { startPrimary } from "./support/primary-process.ts";

describe.each(["proxy", "handoff"] as const)("cluster() in %s mode takes what the callback returns", (mode) => {
  it.each([
    "listener",
    "http-server",
    "listening-server",
    "looking-up-server",
    "async-server",
    "express",
    "express-listening",
    "express4",
    "koa",
    "fastify",
    "fastify-listening",
  ])("%s: served through the front and on its own port, ended without delay", async (framework) => {
    const { primary, up } = await startPrimary("framework.ts", {
      args: [framework],
      env: { LB_TEST_OPTIONS: JSON.stringify({ instances: 1, port: 0, mode }) },
    });
    expect(up.instances).toMatchObject([{ id: 1, state: "ready" }]);
    for (const url of [up.url, `http://127.0.0.1:${up.instances[0]!.port}`]) {
      expect(await httpGet(`${url}/`)).toMatchObject({ status: 200, body: "instance 1" });
    }
    primary.kill("SIGTERM");
    expect(await primary.exited).toEqual({ code: 0, signal: null });
    expect(await primary.event("exit")).toMatchObject({ reason: "stopped", exitCode: 0, signal: null });
    expect(primary.stderr).toBe("");
    expect(primary.stdout).toBe(framework.startsWith("fastify") ? "fastify has closed\n" : "");
  });
});
