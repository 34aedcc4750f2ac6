// What a worker says to its primary, whatever it is, costs that worker at most.
import { spawn } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { guardChannel } from "../src/supervisor/channel-guard.ts";
import { httpGet } from "./support/http-get.ts";
import { startPrimary } from "./support/primary-process.ts";

describe("an app that writes to the channel between its instance and the primary", () => {
  it.each(["ack", "deep"])("loses that instance, which is replaced: %s", async (how) => {
    const { primary, up } = await startPrimary("app.ts", {
      env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 1 }) },
    });
    await httpGet(`${up.url}/channel?how=${how}`, { method: "POST" });
    expect(await primary.event("exit")).toMatchObject({ instance: 1, reason: "crashed", signal: "SIGKILL" });
    expect(await primary.event("link-broken")).toMatchObject({ instance: 1, error: { code: "LB_CHANNEL_BROKEN" } });
    await primary.statusThat(({ instances: [only] }) => only!.state === "ready" && only!.restarts === 1);
    expect(await httpGet(`${up.url}/whoami`)).toMatchObject({ status: 200 });
  });

  it("can send a socket or a report of impossible numbers, and nothing comes of it", async () => {
    const { primary, up } = await startPrimary("app.ts", {
      env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 1, mode: "handoff" }) },
    });
    await httpGet(`${up.url}/channel?how=report`);
    await httpGet(`${up.url}/channel?how=socket`);
    expect(await primary.event("message")).toMatchObject({ message: { "a socket": "with it" } });
    expect(await primary.event("messages-dropped")).toEqual({ instance: 1, dropped: 1 });
    const { instances } = await primary.status();
    expect(instances).toMatchObject([{ state: "ready", restarts: 0, droppedMessages: 2 }]);
    expect(instances[0]!.requests).toBeLessThan(10);
  });
});

it.each(["proxy", "handoff"] as const)(
  "what says it is a message of lb's, and is none, is told of (%s)",
  async (mode) => {
    const { primary, up } = await startPrimary("app.ts", {
      env: { LB_TEST_OPTIONS: JSON.stringify({ port: 0, instances: 2, mode, strategy: "round-robin" }) },
    });
    await httpGet(`${up.url}/send`);
    const { instance, dropped } = await primary.event("messages-dropped");
    expect(dropped).toBe(1);
    const counts = (await primary.statusThat(({ instances }) => instances[instance - 1]!.droppedMessages === 2))
      .instances;
    expect(counts.filter(({ droppedMessages }) => droppedMessages > 0)).toMatchObject([
      { id: instance, state: "ready" },
    ]);
  },
);

describe("the guarded channel", () => {
  /** Has a process write these bytes to its channel. Says whether the guard stepped in. */
  const written = (bytes: Buffer) =>
    new Promise<boolean>((resolve) => {
      const octal = [...bytes].map((byte) => `\\0${byte.toString(8).padStart(3, "0")}`).join("");
      const child = spawn("/bin/sh", ["-c", 'printf %b "$0" >&3', octal], {
        stdio: ["ignore", "ignore", "ignore", "ipc"],
      });
      onTestFinished(() => void child.kill("SIGKILL"));
      child.on("error", () => {});
      guardChannel(child, () => {
        resolve(true);
        child.kill("SIGKILL");
      });
      child.on("disconnect", () => resolve(false));
    });

  it("throws nothing, whatever comes", async () => {
    const commands = fc.constantFrom(
      "NODE_HANDLE_ACK",
      "NODE_HANDLE_NACK",
      "NODE_HANDLE",
      "NODE_SOCKET_GET_COUNT",
      "NODE_",
    );
    const message = fc.oneof(
      fc.record({
        cmd: commands,
        type: fc.constantFrom("net.Socket", "net.Server", "constructor", null),
        key: fc.string(),
      }),
      fc.jsonValue(),
    );
    const line = fc.oneof(
      message.map((value) => Buffer.from(`${JSON.stringify(value)}\n`)),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.string().map((text) => Buffer.from(`${text}\n`)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 4 }), async (lines) => {
        await written(Buffer.concat(lines));
      }),
      { numRuns: 100 },
    );
  });

  it("steps in at an acknowledgement that nobody waits for, and lets through what Node understands", async () => {
    expect(await written(Buffer.from('{"cmd":"NODE_HANDLE_ACK"}\n'))).toBe(true);
    expect(await written(Buffer.from("no JSON\n"))).toBe(true);
    expect(await written(Buffer.from('{"cmd":"NODE_OTHER"}\n"text"\n'))).toBe(false);
  });
});
