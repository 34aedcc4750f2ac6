// What is no app of Node.js behind the cluster's port: Python, PHP, a binary (docs/any-program.md).
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import type { ClusterStatus } from "../src/index.ts";
import { httpGet, httpGetJson } from "./support/http-get.ts";
import { startPosting } from "./support/posting-clients.ts";
import type { PrimaryProcess } from "./support/primary-process.ts";
import { allGone, childrenOf, descendantsOf } from "./support/processes.ts";
import { execPrimary } from "./support/program.ts";
import { RawClient } from "./support/raw-client.ts";
import { Shell } from "./support/shell.ts";

const fixtures = resolve(import.meta.dirname, "fixtures");

interface Told {
  readonly PORT: string;
  readonly HOST: string;
  readonly INSTANCE_ID: string;
  readonly NODE_APP_INSTANCE: string;
  readonly GREETING: string;
  readonly pid: number;
  readonly bytes: number;
  readonly headers: Readonly<Record<string, string>>;
}

async function openWebSocket(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  onTestFinished(() => socket.terminate());
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return socket;
}

const said = (socket: WebSocket): Promise<string> =>
  new Promise((resolve) => socket.once("message", (data) => resolve(String(data))));

describe("uvicorn, an app of ASGI", () => {
  let primary: PrimaryProcess;
  let port: number;
  let url: string;
  let end: () => Promise<void>;

  beforeAll(async () => {
    const exec = {
      command: "uvicorn asgi:app --host {host} --port {port} --no-access-log",
      env: { GREETING: "hello from {instance} on {port}" },
      ready: { log: "Application startup complete" },
    };
    primary = execPrimary(
      exec,
      { written: true, heartbeat: { intervalMs: 100 } },
      { finished: (ending) => (end = ending) },
    );
    ({ port, url } = await primary.up());
  });
  afterAll(() => end());

  const tell = async () => (await httpGetJson(`${url}/`)) as Told;

  test("gets requests as a proxy forwards them, and is told where it is", async () => {
    const { instances } = await primary.status();
    const told = await Promise.all(Array.from({ length: 8 }, tell));
    const byId = new Map(told.map((one) => [one.INSTANCE_ID, one]));
    expect([...byId.keys()].sort()).toEqual(["1", "2"]);
    expect(instances[1]!.port).toBe(instances[0]!.port + 1);
    for (const [index, { pid, port: own }] of instances.entries()) {
      const id = String(index + 1);
      expect(byId.get(id)).toMatchObject({
        PORT: String(own),
        HOST: "127.0.0.1",
        NODE_APP_INSTANCE: String(index),
        GREETING: `hello from ${id} on ${own}`,
        pid,
        headers: { host: `127.0.0.1:${port}`, "x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http" },
      });
    }
    const large = await httpGet(`${url}/`, { method: "POST", body: Buffer.alloc(3_000_000) });
    expect((JSON.parse(large.body) as Told).bytes).toBe(3_000_000);
  });

  test("its processors and memory are known, of it and all that it has started", async () => {
    const { instances } = await primary.statusThat((status) => status.instances.every(({ vitals }) => vitals !== null));
    for (const { vitals } of instances) {
      expect(Object.keys(vitals!).sort()).toEqual(["cpu", "rssBytes"]);
      expect(vitals!.rssBytes).toBeGreaterThan(10_000_000);
    }
  });

  test("FAULTS 38: is reloaded under load: none refused, none cut, and WebSockets may end by themselves", async () => {
    const socket = await openWebSocket(port);
    socket.send("before");
    expect(await said(socket)).toMatch(/^\d+ before$/);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const before = await primary.workerPids();
    const clients = startPosting({ port, connect: RawClient.connect }, 4);
    const slow = httpGetJson(`${url}/slow`);
    const reload = primary.operate("reload", { watchMs: 100 });
    // Whoever has one open is waited for, so that they go when they like.
    await primary.event("reload", ({ step }) => step === "replaced");
    socket.send("meanwhile");
    expect(await said(socket)).toMatch(/^\d+ meanwhile$/);
    socket.close();
    expect(await closed).toBe(1005);
    expect(await reload).toMatchObject({ replaced: [1, 2] });
    expect(((await slow) as Told).bytes).toBe(0);
    await clients.stop();
    expect(clients.ledger).toMatchObject({ unanswered: 0, refused: 0 });
    expect(clients.ledger.answered).toBeGreaterThan(20);
    await allGone(before);
    const after = await primary.workerPids();
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    const { instances } = await primary.status();
    const told = await Promise.all(Array.from({ length: 8 }, tell));
    expect(new Set(told.map(({ pid, PORT }) => `${pid} ${PORT}`))).toEqual(
      new Set(instances.map(({ pid, port: own }) => `${pid} ${own}`)),
    );
  });

  test("is scaled, tried out with a share of the requests, and replaced", async () => {
    await primary.operate("scale", 3);
    expect(
      new Set((await Promise.all(Array.from({ length: 9 }, tell))).map(({ INSTANCE_ID }) => INSTANCE_ID)).size,
    ).toBe(3);
    await primary.operate("scale", 2);
    const clients = startPosting({ port, connect: RawClient.connect }, 4, 5);
    const canary = { share: 0.5, forMs: 300, minRequests: 1, maxLatencyIncrease: 1_000 };
    const report = await primary.operate("reload", { watchMs: 0, canary });
    await clients.stop();
    // How many requests there are for it to be judged by, and how long they take, is the machine's affair.
    expect(report).toMatchObject({
      replaced: [1, 2],
      canary: { verdict: expect.stringMatching(/^(as-good|too-few-requests)$/) },
    });
    expect(clients.ledger.unanswered).toBe(0);
  });

  test("ends with the cluster: requests first, and WebSockets are not waited for", async () => {
    const socket = await openWebSocket(port);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const slow = httpGetJson(`${url}/slow`);
    const inFlight = ({ instances }: ClusterStatus) => instances.reduce((sum, one) => sum + one.inFlight, 0);
    await primary.statusThat((status) => inFlight(status) === 2);
    const pids = await primary.workerPids();
    const startedAt = performance.now();
    await primary.close(10_000);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(((await slow) as Told).bytes).toBe(0);
    await closed;
    await allGone(pids);
  });
});

test("gunicorn, which forks: its group is one instance, and all of it ends", async () => {
  const primary = execPrimary("gunicorn -w 2 -b {host}:{port} wsgi:app", { instances: 1 });
  const { url, instances } = await primary.up();
  const [leader] = instances.map(({ pid }) => pid!);
  // It listens before it has all of them.
  await expect.poll(() => childrenOf(leader!)).toHaveLength(2);
  const workers = childrenOf(leader!);
  const answers = await Promise.all(Array.from({ length: 6 }, async () => (await httpGet(url)).body));
  for (const answer of answers) {
    expect(answer).toMatch(/^1 \d+ 127\.0\.0\.1$/);
    expect(workers).toContain(Number(answer.split(" ")[1]));
  }
  await primary.close(2_000);
  await allGone([leader!, ...workers]);
});

test("PHP's own server, which does one thing at a time and closes each connection", async () => {
  const primary = execPrimary("php -S {host}:{port} index.php");
  const { url } = await primary.up();
  const gets = Array.from({ length: 30 }, () => httpGet(url));
  const posts = Array.from({ length: 10 }, () => httpGet(url, { method: "POST", body: "x".repeat(100_000) }));
  expect(new Set((await Promise.all(gets)).map(({ body }) => body))).toEqual(new Set(["1 127.0.0.1", "2 127.0.0.1"]));
  expect(new Set((await Promise.all(posts)).map(({ body }) => body))).toEqual(new Set(["100000"]));
});

test("Python's http.server, of HTTP/1.0, is found to be open to all", async () => {
  const primary = execPrimary("exec /usr/bin/env python3 -m http.server {port}", { instances: 1 });
  const { url, instances } = await primary.up();
  expect(await httpGet(`${url}/index.php`)).toMatchObject({ status: 200, body: expect.stringContaining("<?php") });
  expect(await httpGet(`${url}/nothing`)).toMatchObject({ status: 404 });
  // Told about when the start is over, before or after somebody listens for events.
  const said = `instance 1 listens on all addresses (0.0.0.0:${instances[0]!.port}), so that other machines`;
  await expect.poll(() => primary.log).toContain(said);
});

test("a binary that leaves its port behind for a minute is back at once, on another", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lb-binary-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const server = join(folder, "server");
  execFileSync("cc", ["-o", server, join(fixtures, "server.c")], { stdio: "inherit" });
  const primary = execPrimary([server], { instances: 1 });
  const { url, instances } = await primary.up();
  for (let times = 0; times < 5; times += 1) expect((await httpGet(url)).body).toBe("C\n");
  expect((await httpGet(`${url}/crash`)).status).toBe(502);
  const [now] = (await primary.statusThat(({ instances: [one] }) => one!.state === "ready" && one!.restarts > 0))
    .instances;
  expect(now!.port).not.toBe(instances[0]!.port);
  expect((await httpGet(url)).body).toBe("C\n");
});

test("lb start --exec: one command, and the others of lb find it", async () => {
  const shell = new Shell();
  shell.write("asgi.py", "");
  const app = ["--exec", `cd ${fixtures} && uvicorn asgi:app --port {port}`, "--ready", "/"];
  const { port, said: output, child, exited } = await shell.start(...app, "-i", "1", "-p", "0");
  expect(((await httpGetJson(`http://127.0.0.1:${port}/`)) as Told).INSTANCE_ID).toBe("1");
  expect((await shell.run("status")).stdout).toMatch(
    /^uvicorn {2}http.*\n.*\b1 request, none with 5xx.*\n\nid {2}state.*\n 1 {2}ready/,
  );
  expect((await shell.run("logs", "1")).stdout).toMatch(/^1 \| INFO: .*Uvicorn running on/m);
  const pids = descendantsOf(child.pid!);
  expect(pids.length).toBeGreaterThan(1);
  expect((await shell.run("stop")).code).toBe(0);
  expect(await exited).toBe(0);
  expect(output()).toMatch(/^1 \| INFO: +Finished server process/m);
  await allGone(pids);
});
