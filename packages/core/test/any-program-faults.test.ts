// FAULTS 70: programs that misbehave, in place of an app.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { freePorts, takePort } from "./support/free-ports.ts";
import { httpGet, httpGetJson } from "./support/http-get.ts";
import { allGone, childrenOf } from "./support/processes.ts";
import { execPrimary, program } from "./support/program.ts";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "lb-program-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

test("one that hears no signal is killed at the deadline, with what it has started", async () => {
  const primary = execPrimary(program("deaf"), { instances: 1 });
  const { url } = await primary.up();
  const pids = (await httpGetJson(url)) as number[];
  expect(pids).toHaveLength(2);
  const startedAt = performance.now();
  await primary.close(200);
  // The grace, and the margin to the kill.
  expect(performance.now() - startedAt).toBeLessThan(8_000);
  await allGone(pids);
});

test("a shell script that hears no signal, and whose programs inherit that, is killed with all that it left in the background", async () => {
  const script =
    'trap "" TERM INT HUP; (while :; do sleep 1; done) & python3 -m http.server {port} --bind {host}; echo never';
  const primary = execPrimary(script, { instances: 1 });
  const { url, instances } = await primary.up();
  expect((await httpGet(`${url}/index.php`)).status).toBe(200);
  const shell = instances[0]!.pid!;
  // The loop, whose sleep may just have ended, and the server.
  const left = childrenOf(shell);
  expect(left).toHaveLength(2);
  await primary.close(100);
  await allGone([shell, ...left]);
  expect(primary.stdout).not.toContain("never");
});

test("one that dies at its start is tried again, and then given up", async () => {
  const restart = { delayMs: 1, maxCrashes: 2 };
  const failed = await execPrimary("echo no database; exit 3", { instances: 1, restart }).failed();
  expect(failed).toMatchObject({
    code: "LB_CRASH_LOOP",
    message: expect.stringContaining("exit code 3. Its own output"),
  });
  const daemon = await execPrimary("true", { instances: 1, restart }).failed();
  expect(daemon.message).toMatch(/exit code 0\. A program has to stay in the foreground/);
});

test("one that is not there is said to be missing, at once", async () => {
  const starts = [
    execPrimary("uvicornn app:app", { instances: 1 }),
    execPrimary(["/nowhere/uvicorn"], { instances: 1 }),
    execPrimary({ command: "true", cwd: "/nowhere" }, { instances: 1 }),
  ];
  const failures = await Promise.all(starts.map((primary) => primary.failed()));
  expect(failures.map(({ code }) => code)).toEqual(["LB_EXEC", "LB_EXEC", "LB_EXEC"]);
  expect(failures.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^Instance 1: the command was not found \(uvicornn\)/),
    expect.stringMatching(/^Instance 1 cannot be started, since \/nowhere\/uvicorn cannot be run: .*ENOENT/),
    expect.stringMatching(/^Instance 1 cannot be started, since there is no directory \/nowhere/),
  ]);
});

test("one that opens its port late gets nothing before; requests wait for it, those of one that died as well", async () => {
  const primary = execPrimary(program("late", 400), { instances: 1, queue: { maxWaitMs: 20_000 } });
  const { url } = await primary.up();
  const [first] = await primary.workerPids();
  const slow = httpGet(`${url}/slow/800`);
  // Awaited below; if what is between fails, that is what is to be told.
  slow.catch(() => {});
  await primary.statusThat(({ instances: [one] }) => one!.inFlight === 1);
  process.kill(first!, "SIGKILL");
  const answers = await Promise.all(Array.from({ length: 20 }, () => httpGet(url)));
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect(answers[0]!.body).not.toContain(String(first));
  expect((await slow).body).toBe(answers[0]!.body);
});

test("one whose check does not pass is never routed to, and what it answers is told", async () => {
  const well = join(folder(), "well");
  writeFileSync(well, "");
  const exec = { command: program("ill", well), ready: { path: "/up" } };
  const primary = execPrimary(exec, { startTimeoutMs: 3_000 });
  const { url } = await primary.up();
  rmSync(well);
  const reload = await primary.operate("reload").catch((error: Error) => error);
  expect(String(reload)).toMatch(/was not ready within 3 s: it listens, but GET \/up: status 503/);
  writeFileSync(well, "");
  const answers = await Promise.all(Array.from({ length: 10 }, () => httpGet(url)));
  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
});

test("one that is ready when it says so", async () => {
  const command = program("says", "serving");
  const primary = execPrimary({ command, ready: { log: "now serving" } }, { instances: 1, written: true });
  const { url } = await primary.up();
  expect((await httpGet(url)).status).toBe(200);
});

test("whoever has its port already is never taken for it", async () => {
  const first = await freePorts(2);
  const { server } = await takePort(first + 1);
  onTestFinished(() => void server.close());
  const failed = await execPrimary(program("late", 0), { workerPort: first }).failed();
  expect(failed).toMatchObject({
    code: "LB_PORT_BUSY",
    message: expect.stringContaining(`needs the port ${first + 1}`),
  });
});

test("one that writes a hundred megabytes is read, and serves", async () => {
  const primary = execPrimary(program("loud", 100_000_000), { instances: 1, written: true });
  const { url } = await primary.up();
  for (let times = 0; times < 50; times += 1) expect((await httpGet(url)).status).toBe(200);
});

test("a shell between is no hindrance: the program ends in good order, its requests first", async () => {
  const marks = folder();
  const command = `true && ${program("polite", marks).join(" ")}; true`;
  const primary = execPrimary(command, { instances: 1 });
  const { url } = await primary.up();
  const slow = httpGet(`${url}/slow/500`);
  const [, pid] = (await httpGet(url)).body.split(" ");
  await primary.close(5_000);
  expect((await slow).body).toBe(`1 ${pid}`);
  expect(readdirSync(marks)).toEqual([pid]);
  await allGone([Number(pid)]);
});

test("one that closes its kept-alive connections while requests come in costs none of them", async () => {
  const primary = execPrimary(program("fickle"));
  const { url } = await primary.up();
  const client = async () => {
    for (let times = 0; times < 50; times += 1) {
      expect((await httpGet(url)).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, times % 4));
    }
  };
  await Promise.all(Array.from({ length: 4 }, client));
});

test.each([
  [true, ["2", "2", "2"]],
  [false, ["2", "3", "4"]],
])("keepAlive: %s, as the program's connections show", async (keepAlive, counts) => {
  const primary = execPrimary({ command: program("counts"), keepAlive }, { instances: 1 });
  const { url } = await primary.up();
  const seen: string[] = [];
  for (let times = 0; times < 3; times += 1) seen.push((await httpGet(url)).body);
  // The first was the look whether it listens.
  expect(seen).toEqual(counts);
});

test("a primary that is killed leaves none behind, and those that can end in good order do", async () => {
  const marks = folder();
  const primary = execPrimary(program("polite", marks), { drainTimeoutMs: 500 });
  await primary.up();
  const pids = await primary.workerPids();
  process.kill(primary.pid, "SIGKILL");
  await allGone(pids);
  expect(readdirSync(marks).map(Number).sort()).toEqual([...pids].sort());
});
