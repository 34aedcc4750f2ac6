// Services of systemd: the units that lb writes, and what a service says of itself.
import { execFile, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { launchdPlist } from "../src/cli/startup/plist.ts";
import { eventually } from "./support/eventually.ts";
import { httpGet } from "./support/http-get.ts";
import { isAlive } from "./support/processes.ts";
import { attended, Shell } from "./support/shell.ts";

const exec = promisify(execFile);

const app = `
  require("node:http").createServer((request, response) => response.end(
    Object.keys(process.env).filter((name) => /NOTIFY|WATCHDOG/.test(name)).join())).listen(process.env.PORT);`;

describe("lb startup", () => {
  test.each([
    ["an app", ["app.cjs", "--name", "shop", "-p", "80", "--run-as", "daemon"]],
    [
      "one with a name, a directory and arguments that need quotes",
      ["app.cjs", "--name", '5% of "a" $b', "--", "a b", "c\\d", "$e", "%n"],
    ],
    [
      "one with variables and certificates",
      ["app.cjs", "--env-file", "app.env", "--https", "localhost", "--drain-timeout", "1m"],
    ],
    ["one whose sockets are systemd's", ["app.cjs", "--name", "shop", "-p", "8080", "--host", "::1", "--socket"]],
    ["what was noted", ["--saved"]],
  ])("writes units that systemd takes: %s", { timeout: 60_000 }, async (_, args) => {
    const shell = new Shell();
    shell.write("app.cjs", app);
    shell.write("app.env", "A=b\n");
    const verify = async (ofUser: boolean) => {
      const { stdout, code } = await shell.run("startup", "--print", ...(ofUser ? ["--user"] : []), ...args);
      expect(code).toBe(0);
      const files = stdout.split(/^# (?=\/)/m).slice(1);
      const folder = join(shell.folder, ofUser ? "user" : "system");
      mkdirSync(folder);
      const paths = files.map((file) => {
        const path = join(folder, basename(file.split("\n")[0]!));
        writeFileSync(path, file.slice(file.indexOf("\n") + 1));
        return path;
      });
      const env = { ...process.env, XDG_RUNTIME_DIR: shell.folder };
      const verified = exec("systemd-analyze", ["verify", "--man=no", ...(ofUser ? ["--user"] : []), ...paths], {
        env,
      });
      expect(await verified).toEqual({ stdout: "", stderr: "" });
    };
    await Promise.all([verify(false), verify(true)]);
  });

  test("refuses what lb start would refuse, and removes nothing but its own", async () => {
    const shell = new Shell();
    shell.write("app.cjs", app);
    const wrong = await shell.run("startup", "app.cjs", "--max-waiting", "some", "--print");
    expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
    // Node.js itself looks for this flag wherever it stands.
    const none = await shell.run("startup", "app.cjs", "--env-file", "none.env", "--print");
    expect([none.code, none.stderr]).toEqual([9, expect.stringContaining("none.env: not found")]);
    const unknown = await shell.run("startup", "--name", "never-there", "--user", "--remove");
    expect([unknown.code, unknown.stderr]).toEqual([3, expect.stringContaining("lb-never-there.service")]);
  });

  test("writes a property list that macOS reads", async () => {
    const plist = launchdPlist(
      {
        name: "a & <b>",
        command: ["/usr/bin/node", "/srv/lb", "start", "<app>.js"],
        lb: [],
        cwd: "/srv/a & b",
        user: "web",
        env: { PATH: "/usr/bin" },
        endMs: 10_000,
        lowPorts: false,
        keepsState: false,
        sockets: [],
      },
      "/var/log/a.log",
    );
    const reader = "import plistlib, json, sys; print(json.dumps(plistlib.loads(sys.argv[1].encode())))";
    const { stdout } = await exec("python3", ["-c", reader, plist]);
    expect(JSON.parse(stdout)).toMatchObject({
      Label: "lb.a____b_",
      ProgramArguments: ["/usr/bin/node", "/srv/lb", "start", "<app>.js"],
      WorkingDirectory: "/srv/a & b",
      KeepAlive: { SuccessfulExit: false },
      ExitTimeOut: 20,
    });
  });
});

const receiver = `
  use IO::Socket::UNIX; use Socket;
  my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die $!;
  $| = 1; print "(receives)\\n";
  while (defined $socket->recv(my $text, 65536)) { $text =~ s/\\n/ /g; print "$text\\n"; }`;

/** A shell as systemd would start one for a service, with the app, and what is said to systemd from there. */
async function service() {
  const shell = new Shell();
  shell.write("app.cjs", app);
  const socket = join(shell.folder, "notify");
  const { said } = attended(spawn("perl", ["-e", receiver, socket], { stdio: ["ignore", "pipe", "pipe"] }));
  await eventually(() => said().includes("(receives)"), { what: "a receiver" });
  Object.assign(shell.env, { NOTIFY_SOCKET: socket, WATCHDOG_USEC: "1000000" });
  return { shell, said };
}

test("a service says when it is ready, reloads, lives and ends; its instances hear nothing of it", {
  timeout: 60_000,
}, async () => {
  const { shell, said } = await service();
  const { child, port, exited } = await shell.start("app.cjs", "-i", "2", "-p", "0", "--admin", "off");
  const messages = () =>
    said()
      .split("\n")
      .filter((line) => !/^(BARRIER=1|EXTEND_TIMEOUT_USEC=\d+)$/.test(line));
  const heard = (message: RegExp) =>
    eventually(() => messages().find((line) => message.test(line)), { what: `${message}` });
  await heard(/^READY=1 STATUS=2 of 2 instances ready$/);
  expect((await httpGet(`http://127.0.0.1:${port}/`)).body).toBe("");
  await heard(/^WATCHDOG=1$/);
  const before = messages().length;
  child.kill("SIGHUP");
  await heard(/^RELOADING=1 MONOTONIC_USEC=\d{6,} STATUS=reloading, 0 of 2 replaced$/);
  await eventually(
    () =>
      messages()
        .slice(before)
        .some((line) => line.startsWith("READY=1 ")),
    { what: "the reload's end" },
  );
  // A process that does not get to it says nothing.
  child.kill("SIGSTOP");
  const silent = async () => {
    const count = messages().length;
    await new Promise((resolve) => setTimeout(resolve, 700));
    return messages().length === count;
  };
  await eventually(silent, { what: "silence" });
  child.kill("SIGCONT");
  child.kill("SIGTERM");
  await heard(/^STOPPING=1 STATUS=draining EXTEND_TIMEOUT_USEC=20000000$/);
  expect(await exited).toBe(0);
});

test("a service whose primary is replaced lives on in the new process, and the old one ends", {
  timeout: 60_000,
}, async () => {
  const { shell, said } = await service();
  const { port, exited } = await shell.start("app.cjs", "-i", "1", "-p", "0", "--admin", "off");
  const upgraded = await shell.run("upgrade", "--json");
  expect(upgraded.code).toBe(0);
  const { pid } = JSON.parse(upgraded.stdout) as { pid: number };
  onTestFinished(() => void (isAlive(pid) && process.kill(pid, "SIGKILL")));
  expect(await exited).toBe(0);
  const behind = () => said().split(`MAINPID=${pid}\n`)[1] ?? "";
  const heard = (message: RegExp) => eventually(() => message.test(behind()), { what: `${message} in ${said()}` });
  await heard(/^WATCHDOG=1$/m);
  // The two say it by programs of their own: what comes first is open.
  const ready = () => said().match(/^READY=1 STATUS=1 of 1 instances ready$/gm)?.length;
  await eventually(() => ready() === 2, { what: "the new one's readiness" });
  expect(said()).not.toContain("STOPPING=1");
  expect((await httpGet(`http://127.0.0.1:${port}/`)).body).toBe("");
  const stopped = await shell.run("stop", "--all");
  expect(stopped.code).toBe(0);
  await heard(/^STOPPING=1 /m);
});

test("where there is nobody who could tell systemd, that is said", { timeout: 30_000 }, async () => {
  const shell = new Shell();
  shell.write("app.cjs", app);
  Object.assign(shell.env, { NOTIFY_SOCKET: join(shell.folder, "notify"), PATH: join(shell.folder, "nowhere") });
  const { said } = await shell.start("app.cjs", "-i", "1", "-p", "0", "--admin", "off");
  await eventually(() => said().includes("LB_NOTIFY") && said().includes("no program systemd-notify"), {
    what: "a warning",
  });
});
