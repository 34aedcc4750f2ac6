// Programs of their own as named backends beside an app of Node.js, started and ended with it.
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { httpGet, httpGetJson } from "./support/http-get.ts";
import { startPosting } from "./support/posting-clients.ts";
import { PrimaryProcess } from "./support/primary-process.ts";
import { allGone } from "./support/processes.ts";
import { program } from "./support/program.ts";
import { RawClient } from "./support/raw-client.ts";

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
