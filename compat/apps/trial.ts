import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { askAll, difference } from "./answers.ts";
import type { CheckName, Mode } from "./app.ts";
import type { NamedApp } from "./installation.ts";
import { type Instance, LbCluster } from "./lb-cluster.ts";
import { type Load, type LoadResult, startLoad } from "./load.ts";
import { loadRequest, programEnvironment, type Recording, reached } from "./plain.ts";
import { isLoopback, listeningSockets } from "./process-tree.ts";
import { cache } from "./programs.ts";

export interface Check {
  readonly name: CheckName;
  readonly ok: boolean;
  /** What was seen. */
  readonly detail: string;
}

export interface TrialOptions {
  readonly mode: Mode;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** How long a reload watches each new instance. */
  readonly watchMs: number;
}

/** What programs wrote under `lb start`, for whoever wants to know why. */
const logs = join(cache, "logs");

const readyTimeoutMs = 70_000;
/** Less than the 10 s that a drain may take: no program needs its deadline. */
const stopGraceMs = 8_000;
const loadRequests = 40;

/** Output that nobody wants to see of a cluster that was asked to stop. */
const errorOutput = /\b\w*Error\b|\bERR_\w+|^\s+at .+:\d+:\d+|unhandled|uncaught|deprecat/im;

class Failed extends Error {}

/** Runs a program under `lb start` with three instances, and everything that may happen to it. */
export async function tryUnderLb(
  app: NamedApp,
  recording: Recording,
  options: TrialOptions,
): Promise<readonly Check[]> {
  const { mode, port, env, watchMs } = options;
  const lb = new LbCluster(app, { mode, port, env: programEnvironment(app, port, env) });
  const base = `http://127.0.0.1:${port}`;
  const checks: Check[] = [];
  const check = async (name: CheckName, run: () => Promise<string>): Promise<boolean> => {
    const detail = await run().then(
      (text) => ({ ok: true, text }),
      (error: Error) => ({ ok: false, text: error instanceof Failed ? error.message : String(error.message) }),
    );
    checks.push({ name, ok: detail.ok, detail: detail.text });
    return detail.ok;
  };

  try {
    const started = performance.now();
    const starts = await check("starts", async () => {
      await lb.ready(readyTimeoutMs);
      return seconds(started);
    });
    if (starts) {
      await check("answers", async () => {
        const found = difference(app, recording.answers, await askAll(base, app));
        if (found !== undefined) throw new Failed(found);
        return `${app.requests.length} the same`;
      });
      if (app.probe !== undefined) {
        await check("conversation", async () => {
          const actual = await app.probe!(reached(app, base));
          if (isDeepStrictEqual(actual, recording.conversation)) return "the same";
          throw new Failed(`${JSON.stringify(actual)} instead of ${JSON.stringify(recording.conversation)}`);
        });
      }
      await check("loopback", async () => onlyLoopback(lb, app, port));
      await underLoad(app, lb, { base, mode, watchMs, status: recording.loadStatus }, check);
      await check("stop", () => stop(lb));
    }
  } finally {
    await check("nothing left", async () => {
      if (lb.process.exit === undefined) lb.process.signal("SIGKILL");
      const left = await lb.process.sweep(2_000);
      lb.discard();
      mkdirSync(logs, { recursive: true });
      writeFileSync(join(logs, `${app.name}-${mode}.log`), lb.process.output);
      if (left.length > 0) throw new Failed(`${left.length} process(es): ${left.join(", ")}`);
      return "nothing";
    });
  }
  return checks;
}

interface LoadSettings {
  readonly base: string;
  readonly mode: Mode;
  readonly watchMs: number;
  readonly status: number;
}

async function underLoad(
  app: NamedApp,
  lb: LbCluster,
  { base, mode, watchMs, status }: LoadSettings,
  check: (name: CheckName, run: () => Promise<string>) => Promise<boolean>,
): Promise<void> {
  const request = loadRequest(app);
  const during = async (act: (load: Load) => Promise<void>): Promise<LoadResult> => {
    const load = startLoad(base, request, status);
    try {
      await load.progress(loadRequests);
      await act(load);
      await load.progress(loadRequests);
    } catch (error) {
      await load.stop();
      throw error;
    }
    return load.stop();
  };

  const before = await lb.instances();
  let instances: readonly Instance[] = [];
  const killed = await check("kill", async () => {
    const result = await during(async () => {
      instances = await lb.instances();
      const victim = instances.find(({ id }) => id === 2)!.pid!;
      process.kill(victim, "SIGKILL");
      await replaced(lb, victim);
    });
    // In hand-off mode a request is with the instance itself, and fails with it.
    if (mode === "proxy" && result.failed > 0) throw new Failed(counts(result));
    return counts(result);
  });
  await check("instances", async () => {
    const used = instances.filter(
      ({ id, requests }) => requests > (before.find((one) => one.id === id)?.requests ?? 0),
    );
    if (used.length < 2) throw new Failed(`answers came from ${used.length} of ${instances.length} instances`);
    return `${used.length} of ${instances.length}`;
  });
  if (!killed) await lb.ready(readyTimeoutMs).catch(() => undefined);
  await check("reload", async () => {
    const result = await during(async () => {
      const { exitCode, output } = await lb.command("reload", "--watch", String(watchMs));
      if (exitCode !== 0) throw new Failed(`exit code ${exitCode}: ${output.trim().split("\n").slice(-4).join(" | ")}`);
    });
    if (result.failed > 0) throw new Failed(counts(result));
    return counts(result);
  });
}

async function replaced(lb: LbCluster, victim: number): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs;
  for (;;) {
    const now = await lb.ready(Math.max(0, deadline - performance.now()));
    if (now.every(({ pid }) => pid !== victim)) return;
    await after(50);
  }
}

/** The public port is where it was asked for; everything else is on loopback, and what is public answers. */
async function onlyLoopback(lb: LbCluster, app: NamedApp, port: number): Promise<string> {
  const sockets = listeningSockets(lb.process.processes());
  const open = sockets.filter(({ address }) => !isLoopback(address));
  if (open.length > 0) {
    const list = [...new Set(open.map((socket) => `${socket.address}:${socket.port}`))];
    throw new Failed(`listens beyond loopback: ${list.join(", ")}`);
  }
  for (const wanted of [port, ...(app.otherPorts ?? [])]) {
    if (!sockets.some((socket) => socket.port === wanted)) throw new Failed(`nothing listens on ${wanted}`);
  }
  return `${new Set(sockets.map((socket) => socket.port)).size} ports`;
}

async function stop(lb: LbCluster): Promise<string> {
  const { process: primary } = lb;
  if (primary.exit !== undefined) throw new Failed(`it had ended with ${primary.exit}`);
  const started = performance.now();
  const written = primary.output.length;
  const { exitCode, output } = await lb.command("stop");
  const exit = await primary.exitWithin(stopGraceMs);
  if (exit === undefined) throw new Failed(`still there ${stopGraceMs / 1_000} s after lb stop`);
  if (exitCode !== 0) throw new Failed(`lb stop: exit code ${exitCode}: ${output.trim()}`);
  if (exit !== 0) throw new Failed(`lb start ended with ${exit}: ${primary.lastLines(4)}`);
  const error = errorOutput.exec(primary.output.slice(written));
  if (error !== null) {
    const from = primary.output.slice(written).slice(error.index);
    throw new Failed(`wrote ${JSON.stringify(from.slice(0, 160))}`);
  }
  return seconds(started);
}

function counts({ answered, failed, example }: LoadResult): string {
  return failed === 0 ? `0 of ${answered} failed` : `${failed} of ${answered + failed} failed (${example})`;
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`;
}
