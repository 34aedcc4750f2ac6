// `lb deploy` with a real repository, under load: FAULTS 75.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { DeployRecord } from "../src/cli/deploy/deploy-record.ts";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { allGone } from "./support/processes.ts";
import { Shell } from "./support/shell.ts";

const app = (version: string, health = "ok", prelude = "") => `
  ${prelude}
  const health = ${JSON.stringify(health)};
  require("node:http").createServer((request, response) => {
    if (request.url === "/health") response.writeHead(health === "ok" ? 200 : 500).end(health);
    else setTimeout(() => response.end(${JSON.stringify(version)}), 10);
  }).listen(process.env.PORT);`;

/** A repository to push to, and what is pushed. */
class Repository {
  readonly origin: string;
  readonly #work: string;

  constructor(folder: string) {
    this.origin = join(folder, "origin.git");
    this.#work = join(folder, "work");
    mkdirSync(this.#work);
    this.#git(folder, "init", "-q", "--bare", "-b", "main", this.origin);
    this.#git(this.#work, "init", "-q", "-b", "main");
    this.#git(this.#work, "remote", "add", "origin", this.origin);
  }

  push(subject: string, files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.#work, name), text);
    this.#git(this.#work, "add", "-A");
    this.#git(this.#work, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", subject);
    this.#git(this.#work, "push", "-q", "origin", "main");
  }

  #git(cwd: string, ...args: string[]): void {
    execFileSync("git", args, { cwd, stdio: "pipe" });
  }
}

/** Requests from several clients until it is ended, which returns what failed. */
function load(port: number): () => Promise<readonly string[]> {
  const failed: string[] = [];
  let asked = 0;
  let runs = true;
  const clients = Array.from({ length: 6 }, async () => {
    while (runs) {
      asked += 1;
      await httpGet(`http://127.0.0.1:${port}/`).then(
        ({ status, body }) => status !== 200 && failed.push(`${status} ${body}`),
        (error: Error) => failed.push(error.message),
      );
    }
  });
  return async () => {
    runs = false;
    await Promise.all(clients);
    expect(asked).toBeGreaterThan(50);
    return failed;
  };
}

const version = async (port: number) => (await httpGet(`http://127.0.0.1:${port}/`)).body;

function shellWithState(): Shell {
  const shell = new Shell();
  shell.env["XDG_STATE_HOME"] = join(shell.folder, "state");
  return shell;
}

async function pids(shell: Shell): Promise<readonly number[]> {
  const { stdout } = await shell.run("status", "--json");
  return (JSON.parse(stdout) as { instances: { pid: number }[] }).instances.map(({ pid }) => pid);
}

async function deploys(shell: Shell): Promise<readonly DeployRecord[]> {
  const { stdout } = await shell.run("deploys", "--json", "--name", "shop");
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as DeployRecord);
}

test("FAULTS 75: in place: what fails replaces nothing, and no request is lost", { timeout: 120_000 }, async () => {
  const shell = shellWithState();
  const repository = new Repository(shell.folder);
  repository.push("first", { "app.cjs": app("v1"), "migrate.cjs": "" });
  execFileSync("git", ["clone", "-q", repository.origin, "srv"], { cwd: shell.folder });
  shell.write(
    "lb.config.cjs",
    `module.exports = {
       name: "shop", entry: "srv/app.cjs", instances: 2, port: 0,
       deploy: {
         steps: [{ run: "git -C srv pull -q --ff-only" }, { run: "node srv/migrate.cjs", name: "migrate" }],
         check: { path: "/health", expect: { status: 200, body: "ok" }, withinMs: 600 },
         reload: { watchMs: 50 },
         onFailure: [{ run: 'echo "$LB_DEPLOY_FAILED" >> failures; git -C srv reset -q --hard HEAD@{1}' }],
       },
     };`,
  );
  const { port } = await shell.start();
  const endLoad = load(port);
  const failures = () => readFileSync(join(shell.folder, "failures"), "utf8").trim().split("\n");

  const dry = await shell.run("deploy", "--dry-run");
  expect([dry.code, dry.stdout]).toEqual([0, expect.stringMatching(/git -C srv pull.*\n {2}migrate\n/)]);

  repository.push("second", { "app.cjs": app("v2"), "migrate.cjs": "console.log('migrated')" });
  const good = await shell.run("deploy");
  expect([good.code, good.stdout]).toEqual([
    0,
    expect.stringMatching(/✓ migrate[\s\S]*GET \/health of each[\s\S]*✓ reload[\s\S]*2 instances replaced/),
  ]);
  expect(await version(port)).toBe("v2");

  const before = await pids(shell);
  const refused = async (code: number, at: string, files: Readonly<Record<string, string>>) => {
    repository.push(at, files);
    const { code: got, stdout } = await shell.run("deploy");
    expect([got, stdout]).toEqual([code, expect.stringContaining(`The deploy failed at "${at}"`)]);
    expect(await version(port)).toBe("v2");
    expect(await pids(shell)).toEqual(before);
    expect(failures().at(-1)).toBe(at);
  };
  await refused(1, "migrate", { "app.cjs": app("v3"), "migrate.cjs": "throw new Error('no such table')" });
  await refused(4, "reload", { "app.cjs": app("v4", "ok", "throw new Error('broken')"), "migrate.cjs": "" });
  await refused(4, "check", { "app.cjs": app("v5", "no database") });
  expect(failures()).toEqual(["migrate", "reload", "check"]);

  const records = await deploys(shell);
  expect(records.map(({ outcome, failed }) => [outcome, failed?.at])).toEqual([
    ["rolled-back", "check"],
    ["rolled-back", "reload"],
    ["failed", "migrate"],
    ["deployed", undefined],
  ]);
  const shown = await shell.run("deploys", records[2]!.id);
  expect(shown.stdout).toMatch(/✗ migrate .*exit code 1\n[\s\S]*no such table/);
  const back = await shell.run("rollback");
  expect([back.code, back.stderr]).toEqual([2, expect.stringContaining("deploy.releases")]);
  expect(await endLoad()).toEqual([]);
});

test("release directories: current is swapped, swapped back, and an old release is gone back to", {
  timeout: 120_000,
}, async () => {
  const shell = shellWithState();
  const repository = new Repository(shell.folder);
  repository.push("first", { "app.cjs": app("v1") });
  mkdirSync(join(shell.folder, "shared"));
  shell.write("shared/.env", "A=1");
  shell.write(
    "lb.config.cjs",
    `module.exports = {
       name: "shop", entry: "current/app.cjs", instances: 2, port: 0,
       deploy: {
         steps: [{ run: "git clone -q ${repository.origin} .", name: "clone" }, { run: "cat .env > seen" }],
         check: { path: "/health", withinMs: 2_000 },
         reload: { watchMs: 50 },
         releases: { keep: 2, shared: [".env", "uploads/"] },
       },
     };`,
  );
  expect((await shell.run("deploy")).code).toBe(3);
  const first = await shell.run("deploy", "--no-reload");
  expect(first.code).toBe(0);
  const { port } = await shell.start();
  const endLoad = load(port);
  const current = () => readlinkSync(join(shell.folder, "current")).replace("releases/", "");
  const inRelease = (path: string) => join(shell.folder, "current", path);
  expect([await version(port), readFileSync(inRelease("seen"), "utf8")]).toEqual(["v1", "A=1"]);
  expect(readlinkSync(inRelease("uploads"))).toBe("../../shared/uploads");

  repository.push("second", { "app.cjs": app("v2") });
  const json = await shell.run("deploy", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ outcome: "deployed", replaced: 2, commit: { subject: "second" } });
  expect(await version(port)).toBe("v2");

  const release = current();
  repository.push("broken", { "app.cjs": app("v3", "no database") });
  expect((await shell.run("deploy")).code).toBe(4);
  expect([current(), await version(port)]).toEqual([release, "v2"]);

  // Whoever deploys is killed while the check goes on: the primary takes its reload back, the next one the link.
  const before = await pids(shell);
  const killed = shell.spawn("deploy");
  await eventually(() => killed.said().includes("GET /health of each"), { what: "the check", withinMs: 30_000 });
  killed.child.kill("SIGKILL");
  await eventually(async () => String(await pids(shell)) === String(before), { what: "the instances of before" });
  expect((await shell.run("rollback")).code).toBe(0);
  expect((await deploys(shell))[1]!.outcome).toBe("cut-off");
  expect(await version(port)).toBe("v1");
  expect((await shell.run("rollback", release)).code).toBe(0);
  expect([current(), await version(port)]).toEqual([release, "v2"]);

  repository.push("fourth", { "app.cjs": app("v4") });
  expect((await shell.run("deploy")).code).toBe(0);
  expect(await version(port)).toBe("v4");
  // The first is old, the broken one of no use.
  expect(readdirSync(join(shell.folder, "releases")).sort()).toEqual([release, current()]);
  expect(await endLoad()).toEqual([]);
});

test("one at a time; Ctrl-C ends a step with all that it has started", { timeout: 120_000 }, async () => {
  const shell = shellWithState();
  shell.write("app.cjs", app("v1"));
  shell.write(
    "lb.config.cjs",
    `module.exports = {
       name: "shop", entry: "app.cjs", instances: 1, port: 0,
       deploy: { steps: [{ run: "sleep 60 & echo $! > sleeper; wait; echo not reached > after" }], onFailure: [{ run: "echo once >> failures" }] },
     };`,
  );
  await shell.start();
  const slow = shell.spawn("deploy");
  const sleeper = await eventually(
    () => existsSync(join(shell.folder, "sleeper")) && Number(readFileSync(join(shell.folder, "sleeper"), "utf8")),
    { what: "a step that runs" },
  );
  const second = await shell.run("deploy");
  expect([second.code, second.stderr]).toEqual([5, expect.stringContaining(`process ${slow.child.pid}`)]);
  slow.child.kill("SIGINT");
  expect(await slow.exited).toBe(130);
  await allGone([sleeper]);
  expect(readFileSync(join(shell.folder, "failures"), "utf8")).toBe("once\n");
  expect(existsSync(join(shell.folder, "after"))).toBe(false);

  // A holder that was killed holds nothing, but for a step that it has left.
  const killed = shell.spawn("deploy");
  const left = await eventually(
    () => {
      const pid = Number(readFileSync(join(shell.folder, "sleeper"), "utf8"));
      return pid !== sleeper && pid > 0 && pid;
    },
    { what: "another step" },
  );
  killed.child.kill("SIGKILL");
  await killed.exited;
  expect((await shell.run("deploy")).code).toBe(5);
  process.kill(left, "SIGKILL");
  shell.write(
    "lb.config.cjs",
    `module.exports = { name: "shop", entry: "app.cjs", deploy: { reload: { watchMs: 20 } } };`,
  );
  await eventually(async () => (await shell.run("deploy")).code === 0, { what: "the lock", withinMs: 20_000 });
  expect((await deploys(shell)).map(({ outcome }) => outcome)).toEqual(["deployed", "cut-off", "interrupted"]);
});
