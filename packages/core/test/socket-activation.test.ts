// Sockets that others have opened for `lb start`, and Unix sockets behind nginx.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import type { ClusterStatus } from "../src/index.ts";
import { eventually } from "./support/eventually.ts";
import { freePorts } from "./support/free-ports.ts";
import { httpGet } from "./support/http-get.ts";
import { attended, cli, Shell } from "./support/shell.ts";

const app = `
  require("node:http").createServer((request, response) => {
    response.end(JSON.stringify({ pid: process.pid, ppid: process.ppid, port: process.env.PORT, headers: request.headers,
      listen: Object.keys(process.env).filter((name) => name.startsWith("LISTEN_")) }));
  }).listen(process.env.PORT);`;

interface Told {
  readonly pid: number;
  readonly ppid: number;
  readonly port: string;
  readonly headers: Record<string, string>;
  readonly listen: readonly string[];
}

/** Waits until somebody answers there. */
function told(from: () => Promise<string>): Promise<Told> {
  const ask = () =>
    from().then(
      (body) => JSON.parse(body) as Told,
      () => undefined,
    );
  return eventually(ask, { withinMs: 20_000, what: "an answer" });
}

const overTcp = (port: number) => told(async () => (await httpGet(`http://127.0.0.1:${port}/`)).body);

function overUnix(path: string): Promise<Told> {
  return told(
    () =>
      new Promise((resolve, reject) => {
        const sent = request({ socketPath: path, path: "/", agent: false, timeout: 5_000 }, (response) => {
          text(response).then(resolve, reject);
        });
        sent.on("error", reject).end();
      }),
  );
}

/** The sockets that a process has open. */
const socketsOf = (pid: number) =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return [];
    }
  });

/** Those among them that listen on the port. */
function listening(port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .map((row) => row.trim().split(/\s+/));
  return rows.flatMap(([, local = "", , state, , , , , , inode]) =>
    local.endsWith(suffix) && state === "0A" ? [inode!] : [],
  );
}

/**
 * Holds a listening socket as systemd does, and accepts nothing: each line it reads is a start of `lb` with the socket as
 * descriptor 3.
 */
const holder = `
  use IO::Socket::INET;
  $^F = 9;
  my $port = shift;
  my $socket = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port", Listen => 128) or die "no socket";
  fileno($socket) == 3 or die "not the third";
  while (<STDIN>) {
    my $pid = fork;
    if ($pid == 0) {
      @ENV{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} = ($$, 1, "web");
      open STDIN, "<", "/dev/null";
      exec @ARGV;
    }
    waitpid $pid, 0;
  }`;

const twoInstances = ["-i", "2", "--worker-port", "0"];

function shellWithApp(): Shell {
  const shell = new Shell();
  shell.write("app.cjs", app);
  return shell;
}

describe.each(["proxy", "handoff"])("in %s mode", (mode) => {
  test("a socket that is handed over is listened on; it outlives a stop, and nobody is refused meanwhile", async () => {
    const shell = shellWithApp();
    const port = await freePorts(1);
    const command = [process.execPath, cli, "start", "app.cjs", ...twoInstances, "--mode", mode];
    const holding = spawn("perl", ["-e", holder, String(port), ...command], { cwd: shell.folder, env: shell.env });
    const { said } = attended(holding);
    holding.stdin.write("start\n");
    const first = await overTcp(port);
    expect(first).toMatchObject({ port: String(port), listen: [] });
    await expect.poll(() => said()).toContain(`listens on http://127.0.0.1:${port} with 2 instances`);
    const [inode] = listening(port);
    expect(socketsOf(first.ppid)).toContain(inode);
    expect(socketsOf(first.pid)).not.toContain(inode);
    process.kill(first.ppid, "SIGTERM");
    await expect.poll(() => said()).toContain("all instances have ended");
    const waiting = httpGet(`http://127.0.0.1:${port}/`);
    holding.stdin.end("start\n");
    const second = JSON.parse((await waiting).body) as Told;
    expect(second.ppid).not.toBe(first.ppid);
    process.kill(second.ppid, "SIGTERM");
  });
});

test("systemd-socket-activate: two sockets by their names, one of them a Unix socket, which stays", async () => {
  const shell = shellWithApp();
  const port = await freePorts(1);
  const path = join(shell.folder, "local.sock");
  const passed = ["LB_CONTROL_DIR", "NO_COLOR", "PATH"].flatMap((name) => ["-E", `${name}=${shell.env[name]}`]);
  const sockets = ["-l", `127.0.0.1:${port}`, "-l", path, "--fdname=web:local"];
  const command = [process.execPath, cli, "start", "app.cjs", ...twoInstances, "--listen", "fd:local,fd:web"];
  const { said } = attended(
    spawn("systemd-socket-activate", [...passed, ...sockets, ...command], { cwd: shell.folder, env: shell.env }),
  );
  const { ppid } = await overTcp(port);
  await overUnix(path);
  await expect.poll(() => said()).toContain(`listens on unix:${path} and http://127.0.0.1:${port} with 2 instances`);
  process.kill(ppid, "SIGTERM");
  await expect.poll(() => said()).toContain("all instances have ended");
  expect(existsSync(path)).toBe(true);
});

test("systemd's sockets for another process are not taken, and one that is named is missed with the reason", async () => {
  const shell = shellWithApp();
  Object.assign(shell.env, { LISTEN_PID: "1", LISTEN_FDS: "1", LISTEN_FDNAMES: "web" });
  const { code, stderr } = await shell.run("start", "app.cjs", "--listen", "fd:web");
  expect([code, stderr]).toEqual([2, expect.stringContaining("sockets are for the process 1, not for this one")]);
});

test("behind nginx at a Unix socket: it names the client, and lb's commands know the way", async () => {
  const shell = shellWithApp();
  const path = join(shell.folder, "http.sock");
  const { said } = shell.spawn("start", "app.cjs", ...twoInstances, "--listen", `unix:${path}`);
  const own = await overUnix(path);
  expect(own.headers["x-forwarded-for"]).toBeUndefined();
  await expect.poll(() => said()).toContain(`listens on unix:${path} with 2 instances`);
  const port = await freePorts(1);
  const folder = join(shell.folder, "nginx");
  mkdirSync(folder);
  const config = join(folder, "nginx.conf");
  writeFileSync(
    config,
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; worker_processes 1; user root;
    events {}
    http {
      access_log off; client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
      uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
      upstream app { server unix:${path}; keepalive 4; }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
          proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }
      }
    }`,
  );
  attended(spawn("nginx", ["-p", folder, "-c", config]));
  const { headers } = await overTcp(port);
  expect(headers).toMatchObject({
    host: `127.0.0.1:${port}`,
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "http",
    "x-real-ip": "127.0.0.1",
  });
  expect(headers["x-forwarded-port"]).toBeUndefined();
  const [status, list, asked] = await Promise.all([
    shell.run("status", "--json"),
    shell.run("ls"),
    shell.run("test", "-n", "8"),
  ]);
  const { url, port: none, listeners } = JSON.parse(status.stdout) as ClusterStatus;
  expect([url, none, listeners]).toEqual([
    `unix:${path}`,
    0,
    [{ url: `unix:${path}`, https: false, proxyProtocol: false }],
  ]);
  expect(list.stdout).toContain(`unix:${path}`);
  expect([asked.code, asked.stdout]).toEqual([0, expect.stringContaining("status 200: 8")]);
});
