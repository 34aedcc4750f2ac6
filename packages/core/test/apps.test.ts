// Several apps under one primary and one edge: two of Node.js, a program of another kind, and one that gets no requests.
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { io } from "socket.io-client";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ClusterStatus } from "../src/index.ts";
import { freePorts } from "./support/free-ports.ts";
import { httpGet, httpGetJson } from "./support/http-get.ts";
import { startPosting } from "./support/posting-clients.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { allGone } from "./support/processes.ts";
import { program } from "./support/program.ts";
import { RawClient } from "./support/raw-client.ts";
import { Shell } from "./support/shell.ts";

const apps = resolve(import.meta.dirname, "fixtures/apps");

interface Who {
  readonly app: string;
  readonly id: string;
  readonly pid: number;
}

function primaryOf(...given: readonly object[]): PrimaryProcess {
  const options = { port: 0, heartbeat: { intervalMs: 100 }, healthEndpoints: true, apps: given };
  return new PrimaryProcess("apps.ts", { env: { LB_TEST_OPTIONS: JSON.stringify(options) } });
}

const pidsOf = ({ backends }: ClusterStatus) =>
  Object.fromEntries(backends.map(({ name, instances }) => [name, instances.map(({ pid }) => pid!)]));

test("by host and path, each with its own instances, reload and crashes; the others are left alone", async () => {
  const broken = join(tmpdir(), `lb-apps-${process.pid}`);
  onTestFinished(() => rmSync(broken, { force: true }));
  const primary = primaryOf(
    { name: "shop", entry: join(apps, "shop.ts"), instances: 2 },
    {
      name: "api",
      entry: "api.ts",
      cwd: apps,
      args: [broken],
      env: { GREETING: "hello" },
      instances: 2,
      routes: { path: "/api/*", stripPrefix: "/api" },
      restart: { delayMs: 1, maxCrashes: 1 },
    },
    { name: "tool", exec: program("late", 0), routes: [{ host: "tool.test" }] },
    { name: "jobs", entry: join(apps, "jobs.ts"), kind: "worker", waitReady: true },
  );
  const { url, port, instances, backends } = await primary.up();
  expect(instances).toEqual([]);
  expect(backends.map(({ name, kind }) => [name, kind])).toEqual([
    ["shop", "app"],
    ["api", "app"],
    ["tool", "program"],
    ["jobs", "worker"],
  ]);
  const before = pidsOf(await primary.status());

  const several = async (path: string) =>
    new Set(await Promise.all(Array.from({ length: 8 }, async () => ((await httpGetJson(url + path)) as Who).pid)));
  expect(await several("/whoami")).toEqual(new Set(before["shop"]));
  expect(await several("/api/x")).toEqual(new Set(before["api"]));
  // Over the link: the client's own address, and no proxy between that could be named.
  expect(await httpGetJson(`${url}/api/x?y`)).toMatchObject({
    app: "api",
    url: "/x?y",
    prefix: "/api",
    GREETING: "hello",
    address: "127.0.0.1",
  });
  expect(await httpGetJson(`${url}/api/x`)).not.toHaveProperty("via");
  expect((await httpGet(url, { headers: { Host: "tool.test" } })).body).toBe(`1 ${before["tool"]![0]}`);
  expect((await httpGetJson(`${url}/health/ready`)) as object).toMatchObject({ status: "ok", instances: 5 });

  // Sessions of the one app stay with their instances, over polling alone.
  const clients = Array.from({ length: 4 }, () =>
    io(url, { transports: ["polling"], reconnection: false, forceNew: true }),
  );
  onTestFinished(() => {
    for (const client of clients) client.disconnect();
  });
  const homes = await Promise.all(clients.map((client) => client.emitWithAck("who") as Promise<string>));
  expect(await Promise.all(clients.map((client) => client.emitWithAck("who")))).toEqual(homes);

  const posting = startPosting({ port, connect: RawClient.connect, path: "/api/x" }, 4, 5);
  expect(await primary.operateOn("api", "reload", { watchMs: 50 })).toMatchObject({ replaced: [1, 2] });
  await posting.stop();
  expect(posting.ledger).toMatchObject({ unanswered: 0, refused: 0 });
  expect(posting.ledger.answered).toBeGreaterThan(20);
  const after = pidsOf(await primary.status());
  expect({ ...after, api: 0 }).toEqual({ ...before, api: 0 });
  expect(after["api"]!.some((pid) => before["api"]!.includes(pid))).toBe(false);
  expect(await primary.operateOn("jobs", "reload", { watchMs: 50 })).toMatchObject({ replaced: [1] });

  writeFileSync(broken, "");
  // Who asks when none is left waits for one, for seconds.
  for (const _ of [1, 2]) void httpGet(`${url}/api/die`).catch(() => {});
  await primary.event("backend-program", ({ backend, event }) => backend === "api" && event.kind === "crash-loop");
  expect(await several("/whoami")).toEqual(new Set(before["shop"]));
  expect((await httpGet(url, { headers: { Host: "tool.test" } })).status).toBe(200);
  expect(clients.every(({ connected }) => connected)).toBe(true);
  await expect.poll(() => primary.log).toMatch(/^lb: api: instance \d \(pid \d+\) crashed with exit code 3/m);

  const last = Object.values(pidsOf(await primary.status())).flat();
  await primary.close(1_000);
  await allGone(last.filter((pid) => pid !== null));
});

describe("one that gets no requests", () => {
  test("is ready when it says so or has run for a while, is told to end, and is through when its work is done", async () => {
    const jobs = join(apps, "jobs.ts");
    const primary = primaryOf(
      { name: "queue", entry: jobs, kind: "worker", minUptimeMs: 50, instances: 2 },
      { name: "once", entry: jobs, kind: "worker", args: ["0"], stopExitCodes: [0], restartCron: "* * * * * *" },
      { name: "sh", exec: "echo runs on $PORT; exec sleep 600", kind: "worker", minUptimeMs: 50 },
    );
    const { backends, listeners } = await primary.up();
    expect(listeners).toHaveLength(1);
    expect(backends.map(({ instances }) => instances.map(({ port }) => port))).toEqual([[0, 0], [0], [0]]);
    // By the clock it does it once more, and again.
    const done = () =>
      primary.events.filter(({ name, argument }) => name === "backend-program" && isDone(argument)).length;
    await expect.poll(done).toBeGreaterThan(2);
    await primary.statusThat((status) => status.backends[1]!.instances[0]!.state === "done");

    await expect(primary.operateOn("queue", "drain", 1)).rejects.toMatchObject({ code: "LB_NO_TRAFFIC" });
    await primary.operateOn("queue", "scale", 1);
    const [pid] = pidsOf(await primary.status())["queue"]!;
    process.kill(pid!, "SIGKILL");
    await primary.statusThat(({ backends: [queue] }) => {
      const [one] = queue!.instances;
      return queue!.instances.length === 1 && one!.pid !== pid && one!.state === "ready";
    });
    await primary.close();
  });

  const isDone = (argument: unknown) =>
    (argument as { backend: string; event: { reason?: string } }).event.reason === "done";
});

test("lb calls them by their names, in all of its commands", async () => {
  const shell = new Shell();
  const first = await freePorts(1);
  const config = {
    port: 0,
    apps: [
      { name: "api", entry: join(apps, "api.ts"), routes: { path: "/*" }, port: first },
      { name: "jobs", entry: join(apps, "jobs.ts"), kind: "worker", waitReady: true },
    ],
  };
  shell.write("lb.config.mjs", `export default ${JSON.stringify(config)};`);
  const { port } = await shell.start();
  expect(await httpGetJson(`http://127.0.0.1:${first}/own`)).toMatchObject({
    app: "api",
    url: "/own",
    PORT: `${first}`,
  });
  expect(await httpGetJson(`http://127.0.0.1:${port}/x`)).toMatchObject({ app: "api", url: "/x" });
  expect((await shell.run("status")).stdout).toMatch(/^ *api:1 +ready.*\n *jobs:1 +ready +\d+ +- /m);
  expect((await shell.run("routes")).stdout).toMatch(/\/\* +api/);
  expect((await shell.run("scale", "api", "+1")).stdout).toBe("there are 2 instances of api now (before: 1)\n");
  expect((await shell.run("reload", "jobs")).stdout).toContain("replaced 1 instance in");
  expect((await shell.run("signal", "jobs:1", "usr2")).stdout).toBe("SIGUSR2 was sent to instance jobs:1\n");
  const logs = async () => (await shell.run("logs", "jobs")).stdout;
  await expect.poll(logs).toMatch(/jobs:1 \| job of 1, PORT undefined\n(.*\n)*jobs:1 \| heard SIGUSR2/);
  const nameless = await shell.run("restart", "1");
  expect([nameless.code, nameless.stderr]).toEqual([2, expect.stringContaining('"api", "jobs"')]);
  const own = await shell.run("start", "-i", "2");
  expect([own.code, own.stderr]).toEqual([2, expect.stringContaining("--instances is of one app")]);
});

test("PM2's file with three apps runs whole, each on its own port, and without one it is left alone", async () => {
  const shell = new Shell();
  const web = await freePorts(3);
  const [api, free] = [web + 1, web + 2];
  shell.write(
    "web.js",
    'require("http").createServer((q, s) => s.end("web " + process.env.PORT)).listen(process.env.PORT);',
  );
  shell.write(
    "queue.js",
    `require("http").createServer((q, s) => s.end("queue " + process.env.PORT)).listen(${free}, "127.0.0.1");`,
  );
  const file = {
    apps: [
      { name: "web", script: "web.js", instances: 2, exec_mode: "cluster", env: { PORT: web } },
      { name: "api", script: join(apps, "api.ts"), env: { PORT: api, GREETING: "hi" } },
      { name: "queue", script: "queue.js", min_uptime: "1s", autorestart: true },
    ],
  };
  shell.write("ecosystem.config.js", `module.exports = ${JSON.stringify(file)};`);
  const { said } = await shell.start("ecosystem.config.js");
  expect(said()).toMatch(/^ecosystem\.config\.js: queue: without a PORT it gets no requests here/m);
  const ask = async (port: number) => (await httpGet(`http://127.0.0.1:${port}/`)).body;
  expect(await ask(web)).toBe(`web ${web}`);
  expect(JSON.parse(await ask(api))).toMatchObject({ app: "api", PORT: `${api}`, GREETING: "hi" });
  // As PM2 would have it: what it opens itself is there.
  expect(await ask(free)).toBe("queue undefined");
  expect((await shell.run("status")).stdout).toMatch(/web:1.*\n *web:2.*\n *api:1.*\n *queue:1/);
});
