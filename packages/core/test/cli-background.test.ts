// Clusters that outlive the terminal: as users start, look for, read and end them.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "./support/eventually.ts";
import { freePorts } from "./support/free-ports.ts";
import { httpGet } from "./support/http-get.ts";
import { cli, Shell } from "./support/shell.ts";

const app = `
  console.log("hello from", process.env.INSTANCE_ID);
  let count = 0;
  require("node:http").createServer((request, response) => {
    if (request.url === "/write") console.log(++count, "x".repeat(1_000));
    response.end(process.env.INSTANCE_ID);
  }).listen(process.env.PORT);`;

/** A user with a home directory; what they leave running ends with the test. */
function user(): Shell {
  const shell = new Shell();
  const home = mkdtempSync(join(tmpdir(), "lb-home-"));
  Object.assign(shell.env, { XDG_STATE_HOME: home });
  onTestFinished(async () => {
    await shell.run("stop", "--all");
    rmSync(home, { recursive: true, force: true });
  });
  shell.write("app.cjs", app);
  return shell;
}

const sessionOf = (pid: number) =>
  Number(
    readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ")[3],
  );

test("goes on when the terminal is closed, is found, read and ended by its name", { timeout: 60_000 }, async () => {
  const shell = user();
  const port = await freePorts(3);
  const flags = "start app.cjs -d -i 1 --name shop --admin off --pid-file shop.pid --log-size 64K --log-files 3";
  // A terminal that is closed when the command has ended.
  const { stdout } = await promisify(execFile)(
    "script",
    ["-qec", `${process.execPath} ${cli} ${flags} -p ${port}`, "/dev/null"],
    { cwd: shell.folder, env: shell.env },
  );
  expect(stdout.replaceAll("\r", "")).toMatch(
    /lb: shop listens on .*\n(.*\n)*shop runs in the background, pid \d+; its log: .*shop\.log/,
  );
  expect((await httpGet(`http://127.0.0.1:${port}/`)).body).toBe("1");
  const pid = Number(readFileSync(join(shell.folder, "shop.pid"), "utf8"));
  expect(sessionOf(pid)).toBe(pid);

  const again = await shell.run("start", "app.cjs", "-d", "--name", "shop");
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining(`shop runs already (pid ${pid})`)]);
  const line = new RegExp(`^shop +${pid} +http://127.0.0.1:${port} +proxy +1 of 1 +\\S+ \\S+ .* MB +running$`, "m");
  expect((await shell.run("ls")).stdout).toMatch(line);

  const log = join(shell.env["XDG_STATE_HOME"]!, "lb/shop/shop.log");
  const all = (await shell.run("logs", "shop")).stdout;
  expect(all).toMatch(/^\S+Z 1 \| hello from 1$/m);
  expect(all).toMatch(/^\S+Z lb: shop listens on /m);
  expect((await shell.run("logs", "1", "--name", "shop")).stdout).toMatch(/^\S+Z 1 \| hello from 1\n$/);
  const following = shell.spawn("logs", "shop", "-f", "-n", "0");
  const seen = () => [...following.said().matchAll(/1 \| (\d+) x{1000}$/gm)].map(([, number]) => Number(number));
  const write = () => httpGet(`http://127.0.0.1:${port}/write`);
  await eventually(async () => (await write()) && seen().length > 0, { what: "a line that is followed" });
  const [first = 0] = seen();
  for (let batch = 0; batch < 5; batch += 1) {
    const before = seen().at(-1)!;
    await Promise.all(Array.from({ length: 50 }, write));
    await eventually(() => seen().at(-1)! >= before + 50, { what: "lines that are followed" });
  }
  expect(seen()).toEqual(seen().map((_, at) => first + at));
  expect(existsSync(`${log}.2`)).toBe(true);
  expect(existsSync(`${log}.3`)).toBe(false);
  expect(statSync(log).size).toBeLessThan(150_000);

  const restarted = await shell.run("restart", "shop");
  expect([restarted.code, restarted.stdout]).toEqual([0, expect.stringContaining("replaced 1 instance")]);
  const stopped = await shell.run("stop", "shop");
  expect([stopped.code, stopped.stdout]).toEqual([0, expect.stringMatching(/shop has ended\n$/)]);
  expect(await following.exited).toBe(0);
  expect(existsSync(join(shell.folder, "shop.pid"))).toBe(false);
  // Its log is read when it is gone, too.
  expect((await shell.run("logs", "shop", "-n", "1")).stdout).toMatch(/all instances have ended/);
  expect((await shell.run("stop", "shop")).code).toBe(3);
});

test("a start that fails says why, and leaves nothing", { timeout: 60_000 }, async () => {
  const shell = user();
  shell.write("bad.cjs", `console.log("looking for it"); throw new Error("no database");`);
  const port = await freePorts(3);
  const failed = await shell.run("start", "bad.cjs", "-d", "-i", "2", "-p", String(port), "--admin", "off");
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(/1 \| looking for it\n(.*\n)*.*no database(.*\n)*lb: bad did not start: .*bad\.log\n$/);
  const wrong = await shell.run("start", "app.cjs", "-d", "--max-waiting", "none");
  expect(wrong.code).toBe(2);
  const hidden = await shell.run("start", "app.cjs", "-d", "--no-control");
  expect([hidden.code, hidden.stderr]).toEqual([2, expect.stringContaining("--no-control")]);
  expect((await shell.run("ls")).stdout).toMatch(/^No cluster/);
});

test("what was noted is there again after a reboot", { timeout: 60_000 }, async () => {
  const shell = user();
  const port = await freePorts(3);
  const flags = ["-i", "1", "-p", String(port), "--admin", "off", "--log", "off"];
  Object.assign(shell.env, { GREETING: "hello" });
  shell.write("greeter.cjs", app.replace("end(process.env.INSTANCE_ID)", "end(process.env.GREETING)"));
  await shell.run("start", "greeter.cjs", "-d", ...flags, "--name", "greeter");
  const other = await shell.start("app.cjs", "-i", "1", "-p", "0", "--admin", "off", "--name", "other");
  const saved = await shell.run("save");
  expect(saved.stdout).toMatch(/other \(pid \d+\) was not started with -d, and is not noted\nnoted: greeter /);
  const ended = await shell.run("stop", "--all");
  expect(ended.stdout.split("\n").sort()).toEqual(["", "greeter has ended", "other has ended"]);
  await other.exited;
  delete shell.env["GREETING"];
  const back = await shell.run("resurrect");
  expect([back.code, back.stdout]).toEqual([0, expect.stringContaining("greeter runs in the background")]);
  expect((await httpGet(`http://127.0.0.1:${port}/`)).body).toBe("hello");
  expect((await shell.run("resurrect")).stdout).toBe("greeter runs already\n");
});
