// Looking into the instances of a real cluster: CPU profiles, heap snapshots, the slowest requests.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { Shell } from "./support/shell.ts";

// It calls itself: else V8 may have made it a part of what calls it, before anybody profiles.
const app = `
  class Kept { text = "kept " + Math.random(); }
  globalThis.kept = Array.from({ length: 1000 }, () => new Kept());
  let sum = 0;
  function whereTheTimeGoes(times) {
    for (let n = 0; n < 100_000; n++) sum = (sum * 31 + n) % 1_000_003;
    if (times > 1) whereTheTimeGoes(times - 1);
  }
  require("node:http").createServer((request, response) => {
    if (request.url.startsWith("/slow")) return void setTimeout(() => response.end(process.env.INSTANCE_ID), 300);
    whereTheTimeGoes(4);
    response.end(process.env.INSTANCE_ID);
  }).listen(process.env.PORT);`;

/** Asks again and again until the test ends. */
function load(port: number): void {
  let over = false;
  const ask = () => {
    if (over) return;
    get({ port, path: "/" }, (response) => response.resume().on("end", () => setTimeout(ask, 20))).on("error", ask);
  };
  for (let clients = 0; clients < 2; clients++) ask();
  onTestFinished(() => {
    over = true;
  });
}

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly hitCount: number;
    readonly callFrame: { functionName: string };
  }[];
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

async function statusIn(shell: Shell) {
  const { stdout } = await shell.run("status", "--json");
  return JSON.parse(stdout) as { readonly pid: number; readonly instances: readonly { readonly pid: number }[] };
}

/** Where the primary keeps what is nobody else's. */
function privateFolder(primary: number): string {
  return join(tmpdir(), readdirSync(tmpdir()).find((name) => name.startsWith(`lb-${primary}-`))!);
}

const profilesIn = (folder: string) => readdirSync(folder).filter((name) => /profile|snapshot/.test(name));

test("CPU, heap and slow requests of an instance, as files that tools open; and what cannot be", async () => {
  const shell = new Shell();
  shell.write("app.cjs", app);
  const { port } = await shell.start("app.cjs", "-i", "2", "-p", "0", "--name", "shop");
  const { instances } = await statusIn(shell);
  load(port);

  const { code, stdout, stderr } = await shell.run("profile", "1", "--seconds", "1");
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^shop-1-\d{8}-\d{6}\.cpuprofile \(\d+ kB\): .*\ninstance 1 did nothing else for \d+ ms\n$/);
  const path = join(shell.folder, stdout.split(" ")[0]!);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const profile = JSON.parse(readFileSync(path, "utf8")) as CpuProfile;
  const ids = new Set(profile.nodes.map(({ id }) => id));
  expect(profile.samples.every((id) => ids.has(id))).toBe(true);
  expect([profile.samples.length > 20, profile.timeDeltas.length]).toEqual([true, profile.samples.length]);
  expect((profile.endTime - profile.startTime) / 1e6).toBeGreaterThan(0.9);
  const hits = new Map<string, number>();
  for (const { callFrame, hitCount } of profile.nodes) {
    // V8's own parts are in brackets.
    if (callFrame.functionName.startsWith("(")) continue;
    hits.set(callFrame.functionName, (hits.get(callFrame.functionName) ?? 0) + hitCount);
  }
  expect([...hits].toSorted(([, one], [, other]) => other - one)[0]?.[0]).toBe("whereTheTimeGoes");

  expect((await shell.run("profile", "2", "--heap", "-o", "2.heapsnapshot")).code).toBe(0);
  const heap = JSON.parse(readFileSync(join(shell.folder, "2.heapsnapshot"), "utf8"));
  const { node_count, meta } = heap.snapshot;
  expect(heap.nodes).toHaveLength(node_count * meta.node_fields.length);
  expect(heap.strings).toContain("Kept");

  const asked = shell.run("profile", "--requests", "--seconds", "1", "-o", "slow.json");
  let over = false;
  void asked.then(() => {
    over = true;
  });
  while (!over) await httpGet(`http://127.0.0.1:${port}/slow?secret`);
  expect((await asked).stdout).toMatch(
    /^\d+ requests in 1 s, the slowest:\n.*\n *[\d.]+ m?s .* 200 .* [12] +GET \/slow /,
  );
  const { slowest } = JSON.parse(readFileSync(join(shell.folder, "slow.json"), "utf8"));
  expect(slowest[0].respondedMs).toBeGreaterThan(290);
  expect(JSON.stringify(slowest)).not.toContain("secret");

  const refused = [
    [["9"], /from 1 to 2/],
    [["1", "--seconds", "61"], /from 1 to 60/],
    [[], /lb profile 1/],
    [["1", "-o", "2.heapsnapshot"], /is there already/],
    [["py:1"], /"py"/],
  ] as const;
  await Promise.all(
    refused.map(async ([wrong, says]) => {
      const { code: wrongly, stderr: why } = await shell.run("profile", ...wrong);
      expect([wrongly > 0, why]).toEqual([true, expect.stringMatching(says)]);
    }),
  );
  expect((await statusIn(shell)).instances.map(({ pid }) => pid)).toEqual(instances.map(({ pid }) => pid));
});

test("FAULTS 67: one profile at a time; an instance that is killed meanwhile ends it, and nothing is left of it", async () => {
  const shell = new Shell();
  shell.write("app.cjs", app);
  await shell.start("app.cjs", "-i", "1", "-p", "0");
  const {
    pid: primary,
    instances: [instance],
  } = await statusIn(shell);
  const profile = shell.run("profile", "1", "--seconds", "60");
  const folder = privateFolder(primary);
  await eventually(() => profilesIn(folder).length === 1, { what: "a profile that is being taken" });
  const second = await shell.run("profile", "1", "--seconds", "1", "-o", "second.cpuprofile");
  expect([second.code, second.stderr]).toEqual([1, expect.stringContaining("Another profile of instance 1")]);
  process.kill(instance!.pid, "SIGKILL");
  const { code, stderr } = await profile;
  expect([code, stderr]).toEqual([1, expect.stringContaining("Instance 1 ended while it took the profile")]);
  expect([profilesIn(folder), profilesIn(shell.folder)]).toEqual([[], []]);
});

test("a program of another kind is not looked into, and the admin listener gives profiles to those who may act", async () => {
  const shell = new Shell();
  shell.write("app.cjs", app);
  const auth = "token: 'sixteen-letters-and-more'";
  shell.write(
    "lb.config.mjs",
    `export default {
       entry: "app.cjs", instances: 1, port: 0, admin: { port: 0, actions: true, auth: { ${auth} } },
       backends: { other: { exec: "'${process.execPath}' app.cjs", instances: 1 } },
     };`,
  );
  await shell.start();
  const refused = await shell.run("profile", "other:1");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("a program of its own")]);

  const { admin } = JSON.parse((await shell.run("status", "--json")).stdout) as { admin: string };
  const authorization = "Bearer sixteen-letters-and-more";
  const session = JSON.parse((await httpGet(`${admin}/api/session`, { headers: { authorization } })).body);
  const headers = { authorization, "content-type": "application/json", "x-lb-csrf": session.csrfToken };
  const take = (wish: object) =>
    httpGet(`${admin}/api/profile`, { method: "POST", headers, body: JSON.stringify(wish) });
  const [file, requests] = await Promise.all([
    take({ instance: 1, kind: "cpu", seconds: 1 }),
    take({ kind: "requests", seconds: 1 }),
  ]);
  expect([file.status, file.headers["content-disposition"]]).toEqual([
    200,
    'attachment; filename="instance-1.cpuprofile"',
  ]);
  expect((JSON.parse(file.body) as CpuProfile).nodes.length).toBeGreaterThan(1);
  expect(JSON.parse(requests.body)).toMatchObject({ version: 1, requests: { ms: 1_000, slowest: [] } });
  expect((await take({ instance: 1, kind: "magic" })).status).toBe(400);
  expect((await take({ instance: 1, backend: "other", kind: "cpu" })).status).toBe(409);
  expect(
    (await httpGet(`${admin}/api/profile`, { method: "POST", headers: { authorization }, body: "{}" })).status,
  ).toBe(403);
});
