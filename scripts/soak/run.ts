import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import type { ClusterStatus } from "../../packages/core/src/index.ts";
import { edgeCertificate } from "../../packages/core/test/support/edge.ts";
import { eventually } from "../../packages/core/test/support/eventually.ts";
import { freePorts } from "../../packages/core/test/support/free-ports.ts";
import { Clients } from "./clients.ts";
import { courseOf, isFlat } from "./memory.ts";
import { Admin, tallyOfLog, tallyOfMetrics, tallyOfStatus } from "./sources.ts";
import { disagreements, type Tally, totalOf } from "./tally.ts";

export interface SoakOptions {
  readonly mode: "proxy" | "handoff";
  readonly seconds: number;
  /** Requests a second. */
  readonly rate: number;
  readonly said: (line: string) => void;
}

export interface SoakReport {
  readonly tallies: Readonly<Record<string, Tally>>;
  readonly brought: Readonly<Record<string, number>>;
  /** MB, of the quarters of the time. */
  readonly memory: Readonly<Record<string, readonly number[]>>;
  readonly violations: readonly string[];
  /** Holds the log and the output; removed if nothing was violated. */
  readonly folder: string;
}

const lb = join(import.meta.dirname, "../../packages/core/dist/cli.js");
const token = "soak-0123456789abcdef";
/** Something is done to the cluster so often. */
const everyMs = 10_000;

/** A cluster with all on under a steady load; then its numbers are compared. */
export async function soak({ mode, seconds, rate, said }: SoakOptions): Promise<SoakReport> {
  const folder = mkdtempSync(join(tmpdir(), "lb-soak-"));
  // Behind the public one come those of the instances, three at most.
  const port = await freePorts(6);
  const ports = { plain: port, tls: port + 4 };
  const adminPort = port + 5;
  const [hook, collector] = [await receiver(), await receiver()];
  const cluster = startCluster({ folder, mode, ports, adminPort, webhook: hook.url, collector: collector.url });
  const admin = new Admin(adminPort, token);
  try {
    const isUp = async () =>
      (await admin.status().catch(() => undefined))?.instances.every(({ state }) => state === "ready") === true;
    await eventually(isUp, {
      withinMs: 30_000,
      what: () => `a cluster: ${readFileSync(join(folder, "output.log"), "utf8")}`,
    });
    const heard = admin.follow();
    const clients = new Clients(ports, { rate, http2: mode === "proxy" });
    const watching = new Watching(admin);
    const brought = await bring({ admin, folder, mode, seconds, said });
    await clients.end();
    const samples = await watching.end();
    const counted = clients.tally;
    const violations: string[] = [];
    await eventually(async () => totalOf(tallyOfStatus(await admin.status())) >= totalOf(counted), {
      withinMs: 10_000,
      what: "all is counted",
    }).catch(() => {});
    // Lines gather for a moment, and so do reports of instances.
    await pause(1_000);
    const tallies = {
      clients: counted,
      log: await tallyOfLog(folder),
      metrics: tallyOfMetrics(await admin.text("/metrics")),
      status: tallyOfStatus(await admin.status()),
    };
    violations.push(...disagreements(tallies));
    // Agreement is not enough: nobody is to be refused.
    if (counted["4xx"] !== clients.missing)
      violations.push(`${counted["4xx"]} with 4xx, ${clients.missing} were asked for`);
    for (const [what, times] of Object.entries(clients.failures)) violations.push(`${what} × ${times}`);
    if (heard.octets === 0) violations.push("no event was heard");
    const memory: Record<string, readonly number[]> = {};
    for (const [name, values] of samples) {
      const course = courseOf(values);
      memory[name] = course.quarters;
      if (!isFlat(course)) violations.push(`memory of ${name}: ${course.quarters.join(" → ")} MB`);
    }
    if (violations.length === 0) rmSync(folder, { recursive: true, force: true });
    return {
      tallies,
      brought: { ...brought, alerts: hook.messages(), "batches of spans": collector.messages() },
      memory,
      violations,
      folder,
    };
  } finally {
    await end(cluster);
    for (const one of [hook, collector]) one.close();
  }
}

interface Starting {
  readonly folder: string;
  readonly mode: "proxy" | "handoff";
  readonly ports: { readonly plain: number; readonly tls: number };
  readonly adminPort: number;
  readonly webhook: string;
  readonly collector: string;
}

function startCluster({ folder, mode, ports, adminPort, webhook, collector }: Starting): ChildProcess {
  const { cert, key } = edgeCertificate();
  mkdirSync(join(folder, "control"));
  const config = {
    name: "soak",
    entry: join(import.meta.dirname, "app.ts"),
    mode,
    instances: 2,
    port: ports.plain,
    https: { port: ports.tls, certificates: [{ cert, key }] },
    accessLog: {
      format: "json",
      to: join(folder, "access.log"),
      rotate: { maxBytes: 16_777_216, files: 1_000, gzip: true },
    },
    tracing: { sample: 0.1, otlp: { url: collector } },
    ...(mode === "proxy" && { serverTiming: true }),
    requestId: { response: true },
    admin: { port: adminPort, auth: { token }, actions: true },
    alerts: { to: [{ webhook }] },
  };
  writeFileSync(join(folder, "lb.config.json"), JSON.stringify(config));
  const output = openSync(join(folder, "output.log"), "a");
  return spawn(process.execPath, [lb, "start", "--config", join(folder, "lb.config.json")], {
    cwd: folder,
    env: environment(folder),
    stdio: ["ignore", output, output],
    detached: true,
  });
}

function environment(folder: string): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], HOME: folder, TMPDIR: folder, LB_CONTROL_DIR: join(folder, "control") };
}

/** Looks at it as dashboards and scrapers do, and notes what memory it takes. */
class Watching {
  readonly #admin: Admin;
  readonly #ending = new AbortController();
  readonly #samples = new Map<string, number[]>();
  readonly #watched: Promise<void>;

  constructor(admin: Admin) {
    this.#admin = admin;
    this.#watched = this.#watch();
  }

  async end(): Promise<ReadonlyMap<string, readonly number[]>> {
    this.#ending.abort();
    await this.#watched;
    return this.#samples;
  }

  async #watch(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      await pause(1_000);
      await this.#admin.text("/metrics");
      await this.#admin.text("/metrics", "application/openmetrics-text; version=1.0.0");
      await this.#admin.text("/api/history");
      this.#note(await this.#admin.status());
    }
  }

  #note({ vitals, instances }: ClusterStatus): void {
    if (vitals !== null) this.#add("primary", vitals.rssBytes);
    const young = instances.filter(({ vitals: own, uptimeMs }) => own !== null && uptimeMs > 5_000);
    // They come and go; what they have on average is what would grow.
    const total = young.reduce((sum, { vitals: own }) => sum + own!.rssBytes, 0);
    if (young.length > 0) this.#add("an instance", total / young.length);
  }

  #add(name: string, bytes: number): void {
    const values = this.#samples.get(name) ?? [];
    this.#samples.set(name, values);
    values.push(bytes / 1_048_576);
  }
}

interface Bringing {
  readonly admin: Admin;
  readonly folder: string;
  readonly mode: "proxy" | "handoff";
  readonly seconds: number;
  readonly said: (line: string) => void;
}

/** One thing after the other, in turn. A worker of hand-off mode that is killed takes its last counts with it: nobody else knows them. */
async function bring({ admin, folder, mode, seconds, said }: Bringing): Promise<Record<string, number>> {
  const cli = (...args: readonly string[]) =>
    promisify(execFile)(process.execPath, [lb, ...args], { env: environment(folder) });
  let rotated = 0;
  const all: Record<string, () => Promise<unknown>> = {
    reload: () => cli("reload"),
    rotate: async () => renameSync(join(folder, "access.log"), join(folder, `access.log.moved-${++rotated}`)),
    "scale up": () => cli("scale", "3"),
    restart: () => cli("restart", "1"),
    "scale down": () => cli("scale", "2"),
    ...(mode === "proxy" && {
      kill: async () => {
        const { instances } = await admin.status();
        const pid = instances[0]?.pid;
        if (pid != null) process.kill(pid, "SIGKILL");
      },
    }),
  };
  const brought: Record<string, number> = {};
  const begunAt = performance.now();
  for (let n = 0; performance.now() - begunAt < seconds * 1_000; n++) {
    const names = Object.keys(all);
    const name = names[n % names.length]!;
    await all[name]!();
    brought[name] = (brought[name] ?? 0) + 1;
    const { traffic } = await admin.status();
    if (n % names.length === 0)
      said(`${Math.round((performance.now() - begunAt) / 1_000)} s: ${traffic.total.requests} requests`);
    await pause(Math.max(0, Math.min(begunAt + (n + 1) * everyMs, begunAt + seconds * 1_000) - performance.now()));
  }
  return brought;
}

/** Takes what alerts or traces say. */
async function receiver() {
  let messages = 0;
  const server = createServer((request, response) => {
    messages += 1;
    request.resume().on("end", () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, messages: () => messages, close: () => server.close() };
}

async function end(cluster: ChildProcess): Promise<void> {
  if (cluster.exitCode !== null || cluster.signalCode !== null) return;
  const exited = new Promise((resolve) => cluster.once("exit", resolve));
  cluster.kill("SIGTERM");
  const late = setTimeout(() => cluster.kill("SIGKILL"), 30_000);
  await exited;
  clearTimeout(late);
}
