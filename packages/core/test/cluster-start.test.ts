import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "./support/eventually.ts";
import { freePorts, takePort } from "./support/free-ports.ts";
import { httpGet, httpGetJson } from "./support/http-get.ts";
import { PrimaryProcess, startPrimary } from "./support/primary-process.ts";
import { exchange } from "./support/raw-client.ts";

const withOptions = (options: object, env = {}) => ({ env: { LB_TEST_OPTIONS: JSON.stringify(options), ...env } });

/** A temporary directory for one cluster, so that what it leaves there is its own. */
function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "lb-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

describe("a cluster that starts", () => {
  it("gives each instance its environment and its own consecutive port", async () => {
    const first = await freePorts(4);
    const options = { instances: 3, port: first, env: { GREETING: "hello" } };
    const { up } = await startPrimary("app.ts", withOptions(options));
    expect(up).toMatchObject({ mode: "proxy", host: "127.0.0.1", port: first, url: `http://127.0.0.1:${first}` });
    for (const id of [1, 2, 3]) {
      expect(up.instances[id - 1]).toMatchObject({ id, port: first + id, state: "ready", restarts: 0 });
      expect(await httpGetJson(`http://127.0.0.1:${first + id}/whoami`)).toMatchObject({
        PORT: String(first + id),
        HOST: "127.0.0.1",
        INSTANCE_ID: String(id),
        NODE_APP_INSTANCE: String(id - 1),
        GREETING: "hello",
        own: [],
        pid: up.instances[id - 1]!.pid,
      });
    }
  });

  it("answers on the public port with every instance, and counts", async () => {
    const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 2, port: 0, backendHeader: true }));
    const answers = await Promise.all(Array.from({ length: 20 }, () => httpGet(`${up.url}/whoami`)));
    const pids = new Set(answers.map(({ body }) => JSON.parse(body).pid));
    expect(pids).toEqual(new Set(up.instances.map(({ pid }) => pid)));
    expect(new Set(answers.map(({ headers }) => headers["x-backend-server"]))).toEqual(
      new Set(up.instances.map(({ port }) => `127.0.0.1:${port}`)),
    );
    const { instances } = await primary.status();
    expect(instances.reduce((total, { requests }) => total + requests, 0)).toBe(20);
    expect(instances).toMatchObject([
      { inFlight: 0, failures: 0 },
      { inFlight: 0, failures: 0 },
    ]);
  });

  it.each(["proxy", "handoff"] as const)("counts what it answers in place of the app, in %s mode", async (mode) => {
    const { primary, up } = await startPrimary("app.ts", withOptions({ instances: 1, port: 0, mode }));
    expect((await exchange(up.port, "no request\r\n\r\n")).status).toBe(400);
    expect((await httpGet(`${up.url}/`, { headers: { "X-Large": "x".repeat(70_000) } })).status).toBe(431);
    expect((await primary.status()).answered).toEqual({ 400: 1, 431: 1 });
  });

  it("takes the number of instances from WEB_CONCURRENCY, and else runs one for each processor", async () => {
    const asked = await startPrimary("app.ts", withOptions({ port: 0 }, { WEB_CONCURRENCY: "3" }));
    expect(asked.up.instances).toHaveLength(3);
    asked.primary.kill("SIGKILL");
    const auto = await startPrimary("app.ts", withOptions({ port: 0 }));
    expect(auto.up.instances).toHaveLength(availableParallelism());
  });

  it("lets requests wait that come before the first instance is ready", async () => {
    const port = await freePorts(3);
    const primary = new PrimaryProcess("broken.ts", { args: ["starts-slowly"], ...withOptions({ port }) });
    const early = await eventually(() => httpGet(`http://127.0.0.1:${port}/`).catch(() => undefined), {
      what: "the public port is open",
    });
    expect(early.status).toBe(200);
    await primary.up();
  });

  it("is no cluster to what its workers start: a grandchild has one of its own", async () => {
    const { up } = await startPrimary("app.ts", withOptions({ instances: 1, port: 0 }));
    expect(await httpGetJson(`${up.url}/grandchild`)).toEqual({ role: "primary", instances: 1 });
  });

  it("FAULTS 9: replaces an instance whose start hangs", async () => {
    const marker = join(tmpdir(), `lb-test-marker-${process.pid}`);
    onTestFinished(() => rmSync(marker, { force: true }));
    const { up } = await startPrimary("broken.ts", {
      args: ["hangs-once"],
      ...withOptions({ startTimeoutMs: 5_000 }, { LB_TEST_MARKER: marker }),
    });
    expect(up.instances).toMatchObject([
      { state: "ready", restarts: 1 },
      { state: "ready", restarts: 0 },
    ]);
  });
});

it.each(["listens-elsewhere", "listens-on-a-pipe", "listens-on-the-public-port", "listens-and-returns-nothing"])(
  "%s: an app may listen where it likes",
  async (start) => {
    const port = await freePorts(3);
    const { up } = await startPrimary("broken.ts", { args: [start], ...withOptions({ port }) });
    expect((await httpGet(up.url)).status).toBe(200);
    for (const instance of up.instances) {
      expect((await httpGet(`http://127.0.0.1:${instance.port}/`)).status).toBe(200);
    }
  },
);

describe("a cluster that cannot start rejects with one error and leaves nothing behind", () => {
  const fails = async (args: string[], options: object) => {
    const directory = temporaryDirectory();
    const primary = new PrimaryProcess("broken.ts", { args, ...withOptions(options, { TMPDIR: directory }) });
    const failure = await primary.failed();
    expect(await primary.exited).toEqual({ code: 1, signal: null });
    expect(readdirSync(directory)).toEqual([]);
    return { failure, primary };
  };

  it.each([
    { start: "throws", code: "LB_APP_THREW", message: "no database", cause: "broken.ts" },
    { start: "rejects", code: "LB_APP_THREW", message: "no cache", cause: "TypeError" },
    { start: "throws-a-string", code: "LB_APP_THREW", message: "just text", cause: undefined },
    { start: "one-throws", code: "LB_APP_THREW", message: "one is enough", cause: "Error" },
    { start: "nothing", code: "LB_APP_RESULT", message: "returned nothing", cause: undefined },
    { start: "a-number", code: "LB_APP_RESULT", message: "number 3000", cause: undefined },
    { start: "an-object", code: "LB_APP_RESULT", message: "http.Server", cause: undefined },
    { start: "listens-and-returns-another", code: "LB_APP_RESULT", message: "called listen(", cause: undefined },
    { start: "cluster-again", code: "LB_CLUSTER_TWICE", message: "twice", cause: undefined },
  ])("$start: $code", async ({ start, code, message, cause }) => {
    const { failure, primary } = await fails([start], {});
    expect(failure).toMatchObject({ code, message: expect.stringContaining(message) });
    if (cause !== undefined) expect(failure.cause).toContain(cause);
    expect(primary.stderr).toBe("");
  });

  it("busy public port: LB_PORT_BUSY before any worker is started", async () => {
    const { port, server } = await takePort();
    onTestFinished(() => void server.close());
    const { failure } = await fails(["throws"], { port });
    expect(failure).toMatchObject({ code: "LB_PORT_BUSY", name: "ListenError" });
    expect(failure.message).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}.*"port"`));
  });

  it("FAULTS 19, 20: busy port of an instance: LB_PORT_BUSY names it and the option", async () => {
    const first = await freePorts(3);
    const { server } = await takePort(first + 2);
    onTestFinished(() => void server.close());
    const { failure } = await fails(["serves"], { port: first });
    expect(failure).toMatchObject({ code: "LB_PORT_BUSY", name: "StartError" });
    expect(failure.message).toMatch(new RegExp(`127\\.0\\.0\\.1:${first + 2}.*"workerPort"`));
  });

  it.each([
    ["hangs", "its app does not listen"],
    ["blocks", "its app does not listen"],
  ])("%s: LB_START_TIMEOUT after the second attempt", async (start, message) => {
    const { failure } = await fails([start], { instances: 1, startTimeoutMs: 3_000 });
    expect(failure).toMatchObject({ code: "LB_START_TIMEOUT", message: expect.stringContaining(message) });
  });

  it.each([
    ["exits", "LB_APP_ENDED", "ended with exit code 7 before it listened. What it wrote says why."],
    ["one-exits", "LB_APP_ENDED", "ended with exit code 7 before it listened. What it wrote says why."],
    ["throws-later", "LB_APP_THREW", "threw before it listened: thrown later"],
  ])("FAULTS 8: %s: %s after the first attempt", async (start, code, message) => {
    const { failure, primary } = await fails([start], {});
    expect(failure).toMatchObject({ code, message: `The program ${message}` });
    expect(primary.stderr.split("Error: thrown later").length).toBeLessThanOrEqual(3);
  });

  it("FAULTS 8: killed from outside: LB_CRASH_LOOP", async () => {
    const { failure } = await fails(["is-killed"], { restart: { delayMs: 1, maxCrashes: 2 } });
    expect(failure).toMatchObject({ code: "LB_CRASH_LOOP", message: expect.stringContaining("by SIGKILL") });
  });

  it("called off the main thread: LB_NOT_MAIN_THREAD", async () => {
    const thread = new Worker(join(import.meta.dirname, "fixtures/thread.ts"));
    onTestFinished(() => void thread.terminate());
    expect(await new Promise((resolve) => thread.once("message", resolve).once("error", resolve))).toBe(
      "LB_NOT_MAIN_THREAD",
    );
  });

  it("a bad option: LB_OPTION names it", async () => {
    const { failure } = await fails(["serves"], { prot: 3000 });
    expect(failure).toMatchObject({ code: "LB_OPTION", message: expect.stringContaining('"prot"') });
  });
});

it("leaves no socket behind when it closes", async () => {
  const directory = temporaryDirectory();
  const { primary } = await startPrimary("app.ts", withOptions({ instances: 2, port: 0 }, { TMPDIR: directory }));
  const [name, ...others] = readdirSync(directory);
  expect(others).toEqual([]);
  expect(readdirSync(join(directory, name!)).sort()).toEqual([
    "1.1.sock",
    "1.1.sock.1",
    "2.1.sock",
    "2.1.sock.1",
    "hub.sock",
  ]);
  await primary.close();
  expect(readdirSync(directory)).toEqual([]);
  expect(await primary.exited).toEqual({ code: 0, signal: null });
});
