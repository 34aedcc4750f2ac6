// `lb config`: what is in a configuration, before it is in force.
import { Agent } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import type { ClusterStatus } from "../src/control/status.ts";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { Shell } from "./support/shell.ts";

test("lb config check exits with 0, with 1 for what options name, with 2 for options, and names them all", {
  timeout: 60_000,
}, async () => {
  const shell = new Shell();
  shell.write("app.cjs", "");
  shell.write("lb.config.ts", `export default { entry: "app.cjs", routes: [{ path: "/a/*", to: "app" }] };`);
  const good = await shell.run("config", "check");
  expect(good).toMatchObject({ code: 0, stdout: expect.stringMatching(/lb\.config\.ts can be used\.\n$/) });
  shell.write("named.json", `{ "entry": "app.cjs", "envFile": "none.env" }`);
  expect(await shell.run("config", "check", "named.json")).toMatchObject({ code: 1 });
  shell.write(
    "wrong.json",
    `{ "entry": "app.cjs", "port": "80", "routes": [{ "to": "app" }, { "path": 1, "to": "app" }] }`,
  );
  const wrong = await shell.run("config", "check", "wrong.json", "--json");
  expect(wrong.code).toBe(2);
  const { faults } = JSON.parse(wrong.stdout) as { faults: { option: string }[] };
  expect(faults.map(({ option }) => option)).toEqual(["port", "routes[1].path"]);
});

const app = `
require("node:http").createServer((request, response) => response.end(process.env.A + " " + process.pid)).listen(process.env.PORT);`;

/** Clients that ask again and again, each on one connection, until the test ends; what came of it. */
function load(url: string, clients: number) {
  const asked = { answers: 0, failed: [] as unknown[], connections: new Set<number>(), over: false };
  const all = Array.from({ length: clients }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agent.on("free", (socket) => asked.connections.add(socket.localPort));
    while (!asked.over) {
      const { status } = await httpGet(url, { agent }).catch((error) => ({ status: error }));
      if (status === 200) asked.answers += 1;
      else asked.failed.push(status);
    }
    agent.destroy();
  });
  const end = async () => {
    asked.over = true;
    await Promise.all(all);
  };
  onTestFinished(end);
  return { asked, end };
}

test("lb config apply under load: in force for the next request, no process and no connection is another, nothing fails; a wrong one changes nothing", {
  timeout: 90_000,
}, async () => {
  const shell = new Shell();
  shell.write("app.cjs", app);
  const config = (others: object) =>
    shell.write(
      "lb.config.json",
      JSON.stringify({
        entry: "app.cjs",
        instances: 2,
        port: 0,
        env: { A: "one" },
        admin: false,
        startParallelism: "all",
        ...others,
      }),
    );
  config({});
  const { port, said } = await shell.start();
  const url = `http://127.0.0.1:${port}`;
  const status = async () => JSON.parse((await shell.run("status", "--json")).stdout) as ClusterStatus;
  const before = await status();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const get = (path: string, headers = {}) => httpGet(url + path, { agent, headers });
  const long = { "x-long": "a".repeat(6_000) };
  expect((await get("/", long)).status).toBe(200);
  const { asked, end } = load(url, 4);

  const routes = [
    { path: "/new", to: { respond: { status: 203, body: "new" } } },
    { path: "/limited", to: "app", rateLimit: { points: 1, windowMs: 3_600_000, burst: 0 } },
    { path: "/there", to: "there" },
  ];
  const backends = { there: { endpoints: [`http://127.0.0.1:${before.instances[0]!.port}`] } };
  const next = {
    strategy: "round-robin",
    log: "json",
    routes,
    backends,
    limits: { maxHeadBytes: 4_096 },
    denyList: ["203.0.113.0/24"],
  };
  config(next);
  const diff = await shell.run("config", "diff");
  expect(diff.stdout).toMatch(/^in place +strategy +.* -> "round-robin"$/m);
  expect((await get("/new")).status).toBe(200);
  const applied = await shell.run("config", "apply", "--json");
  expect({ ...JSON.parse(applied.stdout), changes: [] }).toMatchObject({ applied: true, reloaded: null });
  expect(applied.code).toBe(0);
  expect((await get("/new")).status).toBe(203);
  expect([(await get("/limited")).status, (await get("/limited")).status]).toEqual([200, 429]);
  expect((await get("/there")).body).toBe(`one ${before.instances[0]!.pid}`);
  expect((await shell.run("deny")).stdout).toContain("203.0.113.0/24");
  expect((await get("/", long)).status).toBe(431);
  // By the log as it is now.
  await eventually(() => /"event":"options-applied"/.test(said()), { what: said });

  // Of several that are wrong each is told, and what is right beside them is not in force either.
  config({
    ...next,
    routes: [
      { path: "/new", to: { respond: { status: 204 } } },
      { path: "/x", to: "nobody" },
      { path: "/y", to: "none" },
    ],
  });
  const wrong = await shell.run("config", "apply");
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/routes\[1\]\.to[\s\S]*routes\[2\]\.to/) });
  config({ ...next, routes: [], port: 1, env: { A: "two" } });
  const upgrade = await shell.run("config", "apply", "--reload");
  expect(upgrade).toMatchObject({ code: 1, stderr: expect.stringMatching(/port needs .*lb upgrade/) });
  config({ ...next, routes: [], env: { A: "two" } });
  expect(await shell.run("config", "apply")).toMatchObject({ code: 1, stderr: expect.stringContaining("--reload") });
  expect((await get("/new")).status).toBe(203);

  const after = await status();
  expect(after.instances.map(({ pid }) => pid)).toEqual(before.instances.map(({ pid }) => pid));
  expect(after).toMatchObject({ pid: before.pid, strategy: "round-robin" });
  expect(asked.connections.size).toBe(4);
  expect((await shell.run("config", "apply", "--reload")).stdout).toContain("2 instances replaced");
  expect((await get("/new")).body).toMatch(/^two /);
  await end();
  expect(asked.failed).toEqual([]);
  expect(asked.answers).toBeGreaterThan(20);
});
