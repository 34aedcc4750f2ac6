// Programs of their own as named backends beside an app of Node.js, started and ended with it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { ClusterStatus } from "../src/index.ts";
import { httpGet, httpGetJson } from "./support/http-get.ts";
import { startPosting } from "./support/posting-clients.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { allGone } from "./support/processes.ts";
import { program } from "./support/program.ts";
import { RawClient } from "./support/raw-client.ts";
import { Shell } from "./support/shell.ts";

const fixtures = resolve(import.meta.dirname, "fixtures");

function primaryWith(backends: object, options: object = {}): PrimaryProcess {
  const routes = Object.keys(backends).map((name) => ({ path: `/${name}/*`, to: name, stripPrefix: `/${name}` }));
  const all = { port: 0, instances: 2, backends, routes, heartbeat: { intervalMs: 100 }, ...options };
  return new PrimaryProcess("app.ts", { env: { LB_TEST_OPTIONS: JSON.stringify(all) } });
}

test("uvicorn and another program beside the app: routed to, replaced when they die, reloaded and ended with it", async () => {
  const py = { exec: { command: "uvicorn asgi:app --port {port} --no-access-log", cwd: fixtures }, instances: 2 };
  const primary = primaryWith({ py, late: { exec: program("late", 300) } });
  const { url, port, backends } = await primary.up();
  expect(backends.map(({ name, endpoints }) => [name, endpoints.map(({ state }) => state)])).toEqual([
    ["py", ["ready", "ready"]],
    ["late", ["ready"]],
  ]);
  const places = backends[0]!.endpoints.map(({ url: place }) => place.replace(/\d+ /, "… ")).sort();
  expect(places).toEqual([1, 2].map((id) => `http://127.0.0.1:… (instance ${id}.1)`));
  const tell = async () => (await httpGetJson(`${url}/py/`)) as { readonly INSTANCE_ID: string; readonly pid: number };
  const told = await Promise.all(Array.from({ length: 8 }, tell));
  expect(new Set(told.map(({ INSTANCE_ID }) => INSTANCE_ID))).toEqual(new Set(["1", "2"]));
  expect(((await httpGetJson(`${url}/whoami`)) as { readonly INSTANCE_ID: string }).INSTANCE_ID).toMatch(/^[12]$/);

  const [, first] = (await httpGet(`${url}/late/`)).body.split(" ").map(Number);
  process.kill(first!, "SIGKILL");
  const again = await httpGet(`${url}/late/`);
  expect([again.status, again.body.startsWith("1 ")]).toEqual([200, true]);
  const died = await primary.event("backend-program", ({ event }) => event.kind === "exit");
  expect(died).toMatchObject({ backend: "late", instance: 1, event: { reason: "crashed", signal: "SIGKILL" } });
  await expect.poll(() => primary.log).toMatch(/^lb: late: instance 1 \(pid \d+\) was killed/m);

  const clients = startPosting({ port, connect: RawClient.connect, path: "/py/" }, 4, 5);
  expect(await primary.operate("reload", { watchMs: 50 })).toMatchObject({ replaced: [1, 2] });
  await clients.stop();
  expect(clients.ledger).toMatchObject({ unanswered: 0, refused: 0 });
  expect(clients.ledger.answered).toBeGreaterThan(20);
  const after = await Promise.all(Array.from({ length: 8 }, tell));
  const pids = [...new Set(after.map(({ pid }) => pid))];
  expect(pids).toHaveLength(2);
  expect(told.some(({ pid }) => pids.includes(pid))).toBe(false);

  const [, last] = (await httpGet(`${url}/late/`)).body.split(" ").map(Number);
  await primary.close(3_000);
  await allGone([...pids, last!]);
});

test("one that does not start is said by name, and nothing is left", async () => {
  const primary = primaryWith({ py: { exec: "echo no; exit 3" } }, { restart: { delayMs: 1, maxCrashes: 1 } });
  const failed = await primary.failed();
  expect(failed).toMatchObject({
    code: "LB_CRASH_LOOP",
    message: expect.stringMatching(/^py: Instance 1 died 2 times/),
  });
  await primary.exited;
});

describe("a program beside the app, operated by itself", () => {
  const states = ({ backends }: ClusterStatus) => backends[0]!.instances.map(({ state }) => state);
  const pids = (instances: readonly { readonly pid: number | null }[]) => instances.map(({ pid }) => pid);

  test("is scaled, drained, restarted and reloaded, a canary first, while the app is left alone and nothing is cut", async () => {
    const primary = primaryWith({ py: { exec: program("late", 0), instances: 2, maxMemoryMb: 900 } });
    const { url, port, instances: app } = await primary.up();
    const who = async () => (await httpGet(`${url}/py/`)).body.split(" ")[0];
    const several = async () => new Set(await Promise.all(Array.from({ length: 9 }, who)));

    await primary.operateOn("py", "scale", 3);
    const scaled = await primary.status();
    expect([states(scaled), scaled.instances.length]).toEqual([["ready", "ready", "ready"], 2]);
    expect(await several()).toEqual(new Set(["1", "2", "3"]));

    for (const id of [1, 3]) await primary.operateOn("py", "drain", id);
    expect(await several()).toEqual(new Set(["2"]));
    await expect(primary.operateOn("py", "drain", 2)).rejects.toMatchObject({
      code: "LB_LAST_INSTANCE",
      message: expect.stringMatching(/^py: Instance 2 is the only one/),
    });
    const slow = httpGet(`${url}/py/slow/600`);
    await primary.statusThat(({ backends }) => backends[0]!.instances[1]!.inFlight === 1);
    await primary.operateOn("py", "resume", 1);
    const drained = primary.operateOn("py", "drain", 2);
    await primary.statusThat((status) => states(status)[1] === "draining");
    await drained;
    expect((await slow).body).toMatch(/^2 /);
    expect(states(await primary.status())).toEqual(["ready", "drained", "drained"]);
    for (const id of [2, 3]) await primary.operateOn("py", "resume", id);

    const before = (await primary.status()).backends[0]!.instances;
    await primary.operateOn("py", "restart", 2);
    const after = (await primary.status()).backends[0]!.instances;
    expect(pids(after).map((pid, at) => pid === before[at]!.pid)).toEqual([true, false, true]);

    const clients = startPosting({ port, connect: RawClient.connect, path: "/py/" }, 4, 5);
    // How long a process takes that has just begun is the machine's affair here.
    const canary = { share: 0.5, forMs: 300, minRequests: 1, maxLatencyIncrease: 1_000 };
    const report = await primary.operateOn("py", "reload", { watchMs: 50, canary });
    expect(report).toMatchObject({ replaced: [1, 2, 3], canary: { canary: { requests: expect.any(Number) } } });
    await clients.stop();
    expect(clients.ledger).toMatchObject({ unanswered: 0, refused: 0 });
    const steps = primary.events.flatMap(({ name, argument }) => (name === "reload" ? argument : []));
    expect(new Set(steps.map(({ backend }) => backend))).toEqual(new Set(["py"]));
    await expect.poll(() => primary.log).toMatch(/^lb: py: reload: done, 3 instances replaced/m);

    await primary.operateOn("py", "scale", 1);
    const now = await primary.status();
    expect(states(now)).toEqual(["ready"]);
    expect(pids(now.instances)).toEqual(pids(app));
    // They count on, whichever process it is.
    expect(now.backends[0]!.instances[0]!.requests).toBeGreaterThan(after[0]!.requests);
    expect(now.backends[0]!.instances[0]!.vitals!.rssBytes).toBeGreaterThan(1_000_000);

    await expect(primary.operateOn("ruby", "scale", 1)).rejects.toMatchObject({
      code: "LB_OPTION",
      message: expect.stringContaining('"app", "py"'),
    });
    await expect(primary.operateOn("py", "restart", 9)).rejects.toThrow("an instance of py, from 1 to 1");
  });

  test("grows with its own load, and is replaced when it has too much memory: as measured of its processes", async () => {
    const often = { intervalMs: 500, cooldownMs: 60_000 };
    const exec = program("late", 0);
    const primary = primaryWith({
      waiting: { exec, autoscale: { ...often, max: 3, target: { inFlight: 2 } } },
      // Far below what one that never rests is given on a busy machine, and above what one uses that does.
      busy: { exec, autoscale: { ...often, max: 2, target: { cpu: 0.03 } } },
      hungry: { exec, maxMemoryMb: 300 },
      idle: { exec, autoscale: { ...often, max: 2 } },
    });
    const { url, backends, instances } = await primary.up();
    expect([backends.map((backend) => backend.instances.length), instances.length]).toEqual([[1, 1, 1, 1], 2]);
    const [, before] = (await httpGet(`${url}/hungry/grow/400`)).body.split(" ");
    const slow = Promise.all(Array.from({ length: 8 }, () => httpGet(`${url}/waiting/slow/4000`)));
    const scaled = (name: string) => primary.event("autoscale", ({ backend }) => backend === name);
    let isBusy = true;
    const burning = (async () => {
      while (isBusy) await httpGet(`${url}/busy/burn/200`);
    })();
    expect(await scaled("busy")).toMatchObject({ from: 1, to: 2, target: { metric: "cpu" } });
    isBusy = false;
    await burning;
    expect(await scaled("waiting")).toMatchObject({ from: 1, to: 3 });
    await expect.poll(() => primary.log).toMatch(/^lb: waiting: scaled from 1 to 3 instances: inFlight is/m);
    expect(await primary.event("memory-exceeded")).toMatchObject({ backend: "hungry", instance: 1 });
    const after = async () => (await httpGet(`${url}/hungry/`)).body.split(" ")[1];
    await expect.poll(after).not.toBe(before);
    const grown = await primary.status();
    expect([grown.backends.map((one) => one.instances.length), grown.instances.length]).toEqual([[3, 2, 1, 1], 2]);
    await primary.close(5_000);
    expect((await slow).map(({ status }) => status)).toEqual(Array(8).fill(200));
  });

  test("one that is not well is not let in by a reload, which leaves the one before", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lb-programs-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const well = join(folder, "well");
    writeFileSync(well, "");
    const health = { active: { path: "/up", intervalMs: 100, timeoutMs: 1_000, requireFirstProbe: true } };
    const primary = primaryWith({ py: { exec: program("ill", well), health } }, { startTimeoutMs: 5_000 });
    const [before] = pids((await primary.up()).backends[0]!.instances);
    rmSync(well);
    await expect(primary.operateOn("py", "reload")).rejects.toMatchObject({
      code: "LB_RELOAD_UNHEALTHY",
      message: expect.stringMatching(/^py: .*GET \/up: status 503/),
      replaced: [],
    });
    const [one] = (await primary.status()).backends[0]!.instances;
    expect([one!.pid, one!.state]).toEqual([before, "unhealthy"]);
    writeFileSync(well, "");
    await primary.statusThat((status) => states(status)[0] === "ready");
    expect(await primary.operateOn("py", "reload", { watchMs: 50 })).toMatchObject({ replaced: [1] });
  });

  test("lb calls its instances py:1, py:2, in all of its commands", async () => {
    const shell = new Shell();
    shell.write(
      "app.cjs",
      'require("node:http").createServer((_, response) => response.end()).listen(process.env.PORT);',
    );
    const says = ["/bin/sh", "-c", `echo "here is $INSTANCE_ID"; exec ${program("late", 0).join(" ")} 0`];
    const config = { entry: "app.cjs", backends: { py: { exec: says } }, routes: [{ path: "/py/*", to: "py" }] };
    shell.write("lb.config.json", JSON.stringify(config));
    const { said } = await shell.start("-i", "1", "-p", "0");
    expect(said()).toMatch(/^py:1 \| here is 1$/m);
    expect((await shell.run("scale", "py", "+1")).stdout).toBe("there are 2 instances of py now (before: 1)\n");
    expect((await shell.run("drain", "py:2")).stdout).toContain("instance py:2 gets nothing new");
    expect((await shell.run("status")).stdout).toMatch(/\n {3}1 {2}ready .*\npy:1 {2}ready .*\npy:2 {2}drained /);
    expect((await shell.run("restart", "py:1")).stdout).toContain("[1/1] instance py:1 replaced\ninstance py:1 was");
    expect((await shell.run("logs", "py:1")).stdout).toMatch(/^(py:1 \| here is 1\n){2}$/);
    const half = await shell.run("scale", "py");
    expect([half.code, half.stderr]).toEqual([2, "lb: Say how many there are to be: lb scale py 3\n"]);
    const wrong = await shell.run("drain", "ruby:1");
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('"app", "py"')]);
  });
});
