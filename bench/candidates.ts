import { type ChildProcess, fork, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../packages/core/test/support/free-ports.ts";

/** A proxy with two instances of the app behind it, running. */
export interface Running {
  readonly url: string;
  /** The processes of front and workers; the load generator is not among them. */
  readonly pids: readonly number[];
  readonly frontPid: number;
  stop(): Promise<void>;
}

export interface Candidate {
  readonly name: string;
  start(): Promise<Running>;
}

export const instances = 2;

interface Started {
  readonly child: ChildProcess;
  readonly message: unknown;
}

/** Forks a script of ours and waits for its word that it is ready. */
function forked(script: string, env: Record<string, string>): Promise<Started> {
  const child = fork(new URL(script, import.meta.url), { env: { ...process.env, ...env }, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve({ child, message }));
    child.once("exit", (code) => reject(new Error(`${script} exited with ${code} before it was ready`)));
  });
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), 5_000).unref();
  });
}

/** `front` gets the workers' ports and answers with its own process, listening on `port`. */
function withWorkers(
  name: string,
  worker: "./worker.ts" | "./echo-worker.ts",
  front: (port: number, workerPorts: readonly number[]) => Promise<{ child: ChildProcess; pid?: number }>,
  scheme: "http" | "https" = "http",
): Candidate {
  return {
    name,
    async start() {
      const port = await freePorts(1 + instances);
      const ports = Array.from({ length: instances }, (_, index) => port + 1 + index);
      const workers = await Promise.all(ports.map((port) => forked(worker, { PORT: String(port) })));
      const { child, pid = child.pid! } = await front(port, ports);
      const url = `${scheme}://127.0.0.1:${port}`;
      await answers(`${url}${worker === "./worker.ts" ? "/55" : "/"}`);
      return {
        url,
        pids: [pid, ...workers.map(({ child }) => child.pid!)],
        frontPid: pid,
        async stop() {
          await ended(child);
          await Promise.all(workers.map(({ child }) => ended(child)));
        },
      };
    },
  };
}

async function answers(url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    if (await isAnswered(url)) return;
    if (attempt > 100) throw new Error(`nothing answers at ${url}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function isAnswered(url: string): Promise<boolean> {
  if (url.startsWith("https:")) {
    return new Promise((resolve) => {
      get(url, { rejectUnauthorized: false, agent: false }, (response) => {
        response.resume().once("end", () => resolve(response.statusCode === 200));
      }).once("error", () => resolve(false));
    });
  }
  const response = await fetch(url).catch(() => undefined);
  await response?.arrayBuffer();
  return response?.ok === true;
}

function scripted(
  script: string,
  worker: "./worker.ts" | "./echo-worker.ts" = "./worker.ts",
  name: string = script,
): Candidate {
  return withWorkers(name, worker, async (port, ports) => {
    const targets = ports.map((target) => `http://127.0.0.1:${target}`).join(",");
    return forked(`./candidates/${script}.ts`, { PORT: String(port), TARGETS: targets });
  });
}

function configured(
  name: string,
  args: (file: string) => string[],
  config: (port: number, ports: readonly number[], folder: string) => string,
  tls?: Certificate,
  env: Readonly<Record<string, string>> = {},
) {
  const front = async (port: number, ports: readonly number[]) => {
    const folder = mkdtempSync(join(tmpdir(), "lb-bench-"));
    const file = join(folder, "config");
    writeFileSync(file, config(port, ports, folder));
    const child = spawn(name, args(file), { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, ...env } });
    child.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    return { child };
  };
  return withWorkers(name, "./worker.ts", front, tls === undefined ? "http" : "https");
}

const haproxy = (tls?: Certificate) =>
  configured(
    "haproxy",
    (file) => ["-f", file],
    (port, ports) => `
global
  nbthread 1
  maxconn 8000
defaults
  mode http
  option forwardfor
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend public
  bind 127.0.0.1:${port}${tls === undefined ? "" : ` ssl crt ${tls.both} alpn h2,http/1.1`}
  default_backend app
backend app
  balance leastconn
  option httpchk GET /55
${ports.map((target, index) => `  server s${index} 127.0.0.1:${target} check`).join("\n")}
`,
    tls,
  );

/** What all of nginx's configurations begin with, `http {` included. */
const nginxBeginning = (folder: string) => `
worker_processes 1;
master_process off;
pid ${folder}/pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  keepalive_requests 1000000000;
`;

const nginx = (tls?: Certificate) =>
  configured(
    "nginx",
    (file) => ["-c", file, "-g", "daemon off;"],
    (port, ports, folder) => `${nginxBeginning(folder)}  client_max_body_size 0;
  proxy_request_buffering off;
  upstream app {
    least_conn;
${ports.map((target) => `    server 127.0.0.1:${target};`).join("\n")}
    keepalive 1024;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port}${tls === undefined ? "" : " ssl http2"};
${tls === undefined ? "" : `    ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key}; ssl_protocols TLSv1.2 TLSv1.3;`}
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`,
    tls,
  );

const caddy = (tls: Certificate) =>
  configured(
    "caddy",
    (file) => ["run", "--adapter", "caddyfile", "--config", file],
    (port, ports) => `
{
  admin off
  auto_https disable_redirects
  log {
    level ERROR
  }
  servers {
    protocols h1 h2
  }
}
:${port} {
  bind 127.0.0.1
  tls ${tls.cert} ${tls.key}
  reverse_proxy ${ports.map((target) => `127.0.0.1:${target}`).join(" ")} {
    lb_policy least_conn
  }
}
`,
    tls,
    { GOMAXPROCS: "1" },
  );

/** A script of ours that starts its own workers and tells their PIDs. */
function ours(script: string, name = "lb", tls?: Certificate, env: Readonly<Record<string, string>> = {}): Candidate {
  return {
    name,
    async start() {
      const port = await freePorts(1 + instances);
      const identity = tls === undefined ? {} : { TLS_CERT: tls.cert, TLS_KEY: tls.key };
      const ports = { PORT: String(port), WORKER_PORT: String(port + 1) };
      const { child, message } = await forked(script, { ...ports, ...identity, ...env });
      const workers = (message as { pids: number[] }).pids;
      return {
        url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
        pids: [child.pid!, ...workers],
        frontPid: child.pid!,
        stop: () => ended(child),
      };
    },
  };
}

const onPath = (name: string): boolean => spawnSync(name, ["-v"], { stdio: "ignore" }).error === undefined;

/** Every candidate that can run on this machine, ours first, and the names of those that cannot. */
export function candidates(): { readonly available: readonly Candidate[]; readonly missing: readonly string[] } {
  const external = [haproxy(), nginx()];
  return {
    available: [
      ours("./candidates/lb.ts"),
      ...external.filter(({ name }) => onPath(name)),
      scripted("http-proxy-3"),
      scripted("http-proxy-middleware"),
      scripted("fastify-http-proxy"),
    ],
    missing: external.filter(({ name }) => !onPath(name)).map(({ name }) => name),
  };
}

interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** One file with both, as HAProxy wants it. */
  readonly both: string;
}

/** Files that are gone with this process. */
function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), "lb-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const [cert, key, both] = ["cert.pem", "key.pem", "both.pem"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const names = ["-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1"];
  spawnSync("openssl", ["req", "-x509", ...curve, "-keyout", key, "-out", cert, "-days", "2", ...names]);
  writeFileSync(both, readFileSync(cert, "utf8") + readFileSync(key, "utf8"));
  return { cert, key, both };
}

/** Those that decrypt in front of the instances. */
export function tlsCandidates(): { readonly available: readonly Candidate[]; readonly missing: readonly string[] } {
  const tls = makeCertificate();
  const external = [haproxy(tls), nginx(tls), caddy(tls)];
  return {
    available: [ours("./candidates/lb-tls.ts", "lb", tls), ...external.filter(({ name }) => onPath(name))],
    missing: external.filter(({ name }) => !onPath(name)).map(({ name }) => name),
  };
}

/** Those whose instances get the connections themselves, and HAProxy. */
export function handoffCandidates(): { readonly available: readonly Candidate[]; readonly missing: readonly string[] } {
  const peer = haproxy();
  const proxy = onPath(peer.name);
  return {
    available: [
      ours("./candidates/lb-handoff.ts"),
      ours("./candidates/node-cluster.ts", "cluster"),
      ...(proxy ? [peer] : []),
      ours("./candidates/sticky.ts", "sticky"),
    ],
    missing: proxy ? [] : [peer.name],
  };
}

/** Those that are part of an app, by its framework, ours first. */
export function gatewayCandidates(): Readonly<Record<"Express" | "Fastify", readonly Candidate[]>> {
  return {
    Express: [scripted("lb-express", "./worker.ts", "lb"), scripted("http-proxy-middleware")],
    Fastify: [scripted("lb-fastify", "./worker.ts", "lb"), scripted("fastify-http-proxy")],
  };
}

/** Those that relay WebSockets, in front of two echo servers. */
export function tunnelCandidates(): readonly Candidate[] {
  return [ours("./candidates/lb-echo.ts"), scripted("http-proxy-3", "./echo-worker.ts")];
}

const filesConfig = (
  root: string,
  port: number,
  folder: string,
) => `${nginxBeginning(folder)}  types { text/javascript js; }
  default_type application/octet-stream;
  sendfile on;
  tcp_nopush on;
  gzip_static on;
  gzip_vary on;
  open_file_cache max=1024 inactive=60s;
  open_file_cache_valid 1s;
  add_header X-Content-Type-Options nosniff;
  add_header Cache-Control no-cache;
  server {
    listen 127.0.0.1:${port};
    root ${root};
  }
}
`;

/** nginx with the files of a directory, by itself. */
function nginxFiles(root: string): Candidate {
  return {
    name: "nginx",
    async start() {
      const port = await freePorts(1);
      const folder = mkdtempSync(join(tmpdir(), "lb-bench-"));
      const file = join(folder, "config");
      writeFileSync(file, filesConfig(root, port, folder));
      const child = spawn("nginx", ["-c", file, "-g", "daemon off;"], { stdio: ["ignore", "ignore", "inherit"] });
      child.once("exit", () => rmSync(folder, { recursive: true, force: true }));
      const url = `http://127.0.0.1:${port}`;
      await answers(`${url}/1k.bin`);
      return { url, pids: [child.pid!], frontPid: child.pid!, stop: () => ended(child) };
    },
  };
}

/** Those that send the files of `root`. */
export function fileCandidates(root: string): {
  readonly available: readonly Candidate[];
  readonly missing: readonly string[];
} {
  const env = { ROOT: root };
  const peer = nginxFiles(root);
  const hasNginx = onPath(peer.name);
  return {
    available: [
      ours("./candidates/files-lb.ts", "lb", undefined, env),
      ...(hasNginx ? [peer] : []),
      ours("./candidates/files-express.ts", "express.static behind lb", undefined, env),
      ours("./candidates/files-fastify.ts", "@fastify/static behind lb", undefined, env),
    ],
    missing: hasNginx ? [] : [peer.name],
  };
}
