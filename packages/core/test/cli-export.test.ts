// What `lb export` writes, run by the programs that it is for, in front of a cluster's instance ports.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { extname } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { parse } from "yaml";
import { caddy } from "../src/cli/export/caddy.ts";
import { compose } from "../src/cli/export/compose.ts";
import { haproxy } from "../src/cli/export/haproxy.ts";
import { nginx } from "../src/cli/export/nginx.ts";
import { eventually } from "./support/eventually.ts";
import { exportCases, exportSource } from "./support/export-cases.ts";
import { freePorts } from "./support/free-ports.ts";
import { httpGet } from "./support/http-get.ts";
import { attended, Shell } from "./support/shell.ts";

const app = `
  const { WebSocketServer } = require("ws");
  const id = process.env.INSTANCE_ID;
  const server = require("node:http").createServer((request, response) => {
    if (request.url === "/pid") response.end(String(process.pid));
    else response.end(id);
  });
  new WebSocketServer({ server }).on("connection", (socket) => socket.on("message", (text) => socket.send(id + " " + text)));
  server.listen(process.env.PORT);`;

const programs = {
  haproxy: {
    written: haproxy,
    wrapped: (text: string) => text,
    check: (file: string, _folder: string) => ["haproxy", "-c", "-f", file],
    run: (file: string, _folder: string) => ["haproxy", "-db", "-f", file],
  },
  nginx: {
    written: nginx,
    wrapped: (text: string) => `daemon off; worker_processes 1; pid nginx.pid; error_log stderr;
      events {} http { access_log off; client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;\n${text}}`,
    check: (file: string, folder: string) => ["nginx", "-t", "-p", folder, "-c", file],
    run: (file: string, folder: string) => ["nginx", "-p", folder, "-c", file],
  },
  caddy: {
    written: caddy,
    // Others have the port of its admin.
    wrapped: (text: string) => text.replace("\tauto_https", "\tadmin off\n\tauto_https"),
    check: (file: string, _folder: string) => ["caddy", "validate", "--adapter", "caddyfile", "--config", file],
    run: (file: string, _folder: string) => ["caddy", "run", "--adapter", "caddyfile", "--config", file],
  },
} as const;

type Name = keyof typeof programs;

async function written(shell: Shell, name: Name, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await shell.run("export", name, ...args);
  expect([code, stderr]).toEqual([0, ""]);
  return shell.write(`${name}.conf`, programs[name].wrapped(stdout));
}

/** Caddy keeps files in its user's home. */
function ranIn({ folder }: Shell) {
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  return { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"] };
}

describe.each(Object.keys(programs) as Name[])("%s", (name) => {
  const program = programs[name];

  test("finds nothing wrong with what is written for it", { timeout: 60_000 }, async () => {
    const shell = new Shell();
    const certificate = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"];
    const files = ["-keyout", "cert.pem.key", "-out", "cert.pem"];
    execFileSync("openssl", ["req", "-x509", ...certificate, ...files], ranIn(shell));
    for (const options of Object.values(exportCases(shell.folder))) {
      const file = shell.write("written.conf", program.wrapped(program.written(exportSource(options).policies)));
      const [command, ...rest] = program.check(file, shell.folder);
      execFileSync(command!, rest, ranIn(shell));
    }
  });

  test("balances, keeps clients where they were, goes around a dead instance, and passes WebSockets", {
    timeout: 60_000,
  }, async () => {
    const shell = new Shell();
    shell.write("app.cjs", app);
    const port = await freePorts(4);
    const first = port + 1;
    const common = ["app.cjs", "-i", "3", "--worker-port", String(first), "--affinity", "cookie"];
    await shell.start(...common, "-p", "0", "--restart-delay", "60s");
    const file = await written(shell, name, ...common, "-p", String(port));
    const [command, ...rest] = program.run(file, shell.folder);
    attended(spawn(command!, rest, ranIn(shell)));
    const url = `http://127.0.0.1:${port}`;
    await eventually(async () => (await httpGet(url).catch(() => undefined))?.status === 200, { what: "it listens" });

    const answers = await Promise.all(Array.from({ length: 40 }, () => httpGet(url)));
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(["1", "2", "3"]));

    const once = await fetch(url);
    const cookie = once.headers.getSetCookie()[0]!.split(";")[0]!;
    expect(cookie).toMatch(/^lb=/);
    const mine = await (await fetch(url, { headers: { cookie } })).text();
    for (let n = 0; n < 10; n += 1) expect(await (await fetch(url, { headers: { cookie } })).text()).toBe(mine);

    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { cookie } });
    onTestFinished(() => socket.terminate());
    await new Promise((resolve) => socket.once("open", resolve));
    socket.send("hello");
    expect(await new Promise((resolve) => socket.once("message", (text) => resolve(String(text))))).toBe(
      `${mine} hello`,
    );

    const { body: pid } = await httpGet(`http://127.0.0.1:${first + Number(mine) - 1}/pid`);
    process.kill(Number(pid), "SIGKILL");
    for (let n = 0; n < 20; n += 1) expect((await fetch(url, { headers: { cookie } })).status).toBe(200);
  });
});

test("HAProxy finds nothing wrong with what stands for it in Compose's file", () => {
  const shell = new Shell();
  const { affinity, health } = exportCases(shell.folder)["by cookie, checked"]!;
  const { running } = exportSource({ affinity: affinity!, health: health! });
  const { configs } = parse(compose(running)) as { configs: { front: { content: string } } };
  const file = shell.write("haproxy.cfg", configs.front.content.replaceAll("$$", "$"));
  execFileSync("haproxy", ["-c", "-f", file], ranIn(shell));
});

test("systemd finds nothing wrong with the units that are written for it", { timeout: 60_000 }, async () => {
  const shell = new Shell();
  shell.write("app.cjs", app);
  const options = { maxMemoryMb: 200, stopExitCodes: [3], stopSignal: "SIGINT", env: { GREETING: 'a "b" 100 % $c' } };
  shell.write(
    "shop.config.json",
    JSON.stringify({ entry: "app.cjs", name: "shop", port: 3000, instances: 2, ...options }),
  );
  shell.write("exec.json", JSON.stringify({ exec: "sh -c 'sleep {port}'", name: "any", port: 3000, instances: 2 }));
  for (const config of ["shop.config.json", "exec.json"]) {
    const { code, stdout, stderr } = await shell.run("export", "systemd", config, "--out", "units");
    expect([code, stdout]).toEqual([0, ""]);
    const written = [...stderr.matchAll(/^wrote (.*)$/gm)].map(([, file]) => file!);
    expect(written.map((file) => extname(file))).toEqual([".service", ".target"]);
    const checked = spawnSync("systemd-analyze", ["verify", "--man=no", ...written], ranIn(shell));
    expect([checked.status, String(checked.stderr), String(checked.stdout)]).toEqual([0, "", ""]);
  }
  const again = await shell.run("export", "systemd", "exec.json", "--out", "units");
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("exists")]);
});

test("says what to do where the instances' ports are not known", async () => {
  const shell = new Shell();
  shell.write("app.cjs", app);
  const { code, stderr } = await shell.run("export", "haproxy", "app.cjs", "-p", "0");
  expect([code, stderr]).toEqual([2, expect.stringContaining("--worker-port")]);
});
