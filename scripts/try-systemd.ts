// Runs the units that `lb startup` writes under a real systemd, which is process 1 of namespaces of its own and sees no units but these.
// Needs root, unshare, nsenter and systemd.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as after } from "node:timers/promises";

const lb = resolve("packages/core/dist/cli.js");
// Not in the temporary directory: services may have one of their own.
const folder = mkdtempSync("/var/tmp/lb-systemd-");
chmodSync(folder, 0o755);

/** No other cluster on this machine is called that. */
const name = `try${process.pid}`;

const units = {
  "sysinit.target": "[Unit]\nDefaultDependencies=no\n",
  "basic.target": "[Unit]\nDefaultDependencies=no\nRequires=sysinit.target\n",
  "multi-user.target": "[Unit]\nRequires=basic.target\nAfter=basic.target\n",
  "sockets.target": "[Unit]\n",
  "network-online.target": "[Unit]\n",
  "shutdown.target": "[Unit]\nDefaultDependencies=no\n",
};

// What is mounted over is what would do something to this machine.
const boot = `
set -e
mount --make-rprivate /
for place in /run /etc/systemd/system /usr/lib/systemd/system /usr/lib/systemd/system-generators; do mount -t tmpfs tmpfs $place; done
mkdir -p /run/lock
cp ${folder}/units/* /usr/lib/systemd/system/
mount -t proc proc /proc
mount -t tmpfs tmpfs /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
container=lb exec /lib/systemd/systemd --system --log-target=null --unit=multi-user.target`;

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 30_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs / 1_000} s: ${what}`);
    await after(100);
  }
  console.log(`ok  ${what}`);
}

execFileSync("mkdir", [join(folder, "units")]);
for (const [name, text] of Object.entries(units)) writeFileSync(join(folder, "units", name), text);
writeFileSync(
  join(folder, "app.cjs"),
  'require("node:http").createServer((_, response) => response.end(String(process.pid))).listen(process.env.PORT);',
);
writeFileSync(join(folder, "broken.cjs"), 'throw new Error("no database");');

const namespaces = ["--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--cgroup"];
const unshare = spawn("unshare", [...namespaces, "bash", "-c", boot], { stdio: ["ignore", "inherit", "inherit"] });

/** Process 1 in there, as it is called out here. */
let init = 0;
const inside = (command: string, ...args: readonly string[]) => {
  const { stdout, stderr, status } = spawnSync(
    "nsenter",
    ["-t", String(init), "-p", "-m", "-u", "-i", "-C", `--wd=${folder}`, command, ...args],
    { encoding: "utf8" },
  );
  return { stdout, stderr, status };
};
const startup = (...args: readonly string[]) => {
  const done = inside(process.execPath, lb, "startup", ...args);
  console.log(`${done.stdout}${done.stderr}`.replaceAll(/^/gm, "    "));
  return done;
};
const shown = (unit: string, property: string) =>
  inside("systemctl", "show", unit, "--property", property, "--value").stdout.trim();
const answer = async (port: number) => {
  const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
  return response?.text();
};

try {
  await until("systemd has booted", () => {
    const children = `/proc/${unshare.pid}/task/${unshare.pid}/children`;
    init = Number(readFileSync(children, "utf8").trim().split(" ")[0]);
    return init > 0 && inside("systemctl", "is-active", "multi-user.target").status === 0;
  });
  const [port, socketPort] = [await freePort(), await freePort()];

  startup("app.cjs", "--name", name, "-i", "2", "-p", String(port), "--admin", "off", "--run-as", "daemon");
  const unit = `lb-${name}.service`;
  await until("it is active when all instances are ready", () => shown(unit, "ActiveState") === "active");
  await until("it says how it is", () => shown(unit, "StatusText") === "2 of 2 instances ready");
  const before = await answer(port);
  if (inside("systemctl", "reload", unit).status !== 0) throw new Error("The reload failed");
  await until("systemctl reload has replaced its instances", async () => (await answer(port)) !== before);

  // Its watchdog, in less time.
  const dropIn = `/run/systemd/system/${unit}.d`;
  inside("sh", "-c", `mkdir -p ${dropIn} && printf "[Service]\\nWatchdogSec=2\\n" > ${dropIn}/watchdog.conf`);
  inside("systemctl", "daemon-reload");
  inside("systemctl", "restart", unit);
  await after(4_000);
  await until(
    "the watchdog is content",
    () => shown(unit, "NRestarts") === "0" && shown(unit, "ActiveState") === "active",
  );
  inside("kill", "-STOP", shown(unit, "MainPID"));
  await until("a primary that has stopped is killed and started anew", () => shown(unit, "NRestarts") === "1");
  await until("and serves", async () => (await answer(port)) !== undefined);
  inside("kill", "-KILL", shown(unit, "MainPID"));
  await until("so is one that was killed", () => shown(unit, "NRestarts") === "2");
  await until("and serves", async () => (await answer(port)) !== undefined);

  startup(
    "app.cjs",
    "--name",
    `${name}-held`,
    "-i",
    "1",
    "-p",
    String(socketPort),
    "--admin",
    "off",
    "--run-as",
    "daemon",
    "--socket",
  );
  await until("one whose socket systemd has serves", async () => (await answer(socketPort)) !== undefined);
  let refused = 0;
  let answered = 0;
  let restarting = true;
  const asking = (async () => {
    while (restarting) {
      if ((await answer(socketPort)) === undefined) refused += 1;
      else answered += 1;
      await after(20);
    }
  })();
  const restart = spawn("nsenter", [
    "-t",
    String(init),
    "-p",
    "-m",
    "-u",
    "-i",
    "-C",
    "systemctl",
    "restart",
    `lb-${name}-held.service`,
  ]);
  await new Promise((done) => restart.once("exit", done));
  await after(500);
  restarting = false;
  await asking;
  console.log(`ok  restarted with ${answered} answered and ${refused} failed`);
  if (refused > 0) throw new Error("Requests failed while the primary was started anew");

  startup("broken.cjs", "--name", `${name}-broken`, "-i", "1", "-p", "0", "--admin", "off", "--run-as", "daemon");
  await until(
    "one that cannot start is tried again",
    () => Number(shown(`lb-${name}-broken.service`, "NRestarts")) > 0,
  );

  startup("--name", name, "--remove");
  await until(
    "what was removed is gone",
    async () => inside("systemctl", "cat", unit).status !== 0 && (await answer(port)) === undefined,
  );
} finally {
  unshare.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
