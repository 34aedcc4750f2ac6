import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../../packages/core/test/support/eventually.ts";
import { descendantsOf, isAlive } from "../../packages/core/test/support/processes.ts";
import { seededRandom } from "../../packages/core/test/support/seeded-random.ts";
import { Clients } from "./clients.ts";
import { ClusterProcess } from "./cluster-process.ts";
import { type FaultName, faults } from "./faults.ts";
import { now } from "./journal.ts";
import { Lateness } from "./lateness.ts";
import { Ledger } from "./ledger.ts";
import { type Edge, type Place, placeOf } from "./place.ts";
import { plan } from "./plan.ts";

export interface ChaosOptions {
  readonly node: string;
  readonly mode: "proxy" | "handoff";
  readonly edge: Edge;
  readonly seconds: number;
  readonly seed: number;
}

export interface ChaosReport {
  readonly violations: readonly string[];
  readonly summary: Record<string, Record<string, number>>;
  /** How often each fault was brought about. */
  readonly brought: ReadonlyMap<string, number>;
  /** Planned for a time when the one before of its name was still under way: operations take turns, and would only queue up. */
  readonly skipped: number;
  readonly deaths: number;
  readonly messages: number;
  readonly descriptors: readonly [before: number, after: number];
  readonly heapMb: readonly [before: number, after: number];
  /** Holds `events.log`, `output.log` and `journal`; removed if nothing was violated. */
  readonly folder: string;
}

/** Clients come and go all the time. */
const moreDescriptors = 12;

/** A real cluster under clients of every kind, to which things happen as the seed says; then the ledger is balanced. */
export async function chaos({ node, mode, edge, seconds, seed }: ChaosOptions): Promise<ChaosReport> {
  const folder = mkdtempSync(join(tmpdir(), "lb-chaos-"));
  const lateness = new Lateness();
  const unread = mode === "handoff" && edge !== "plain";
  const ledger = new Ledger({ folder, mode, unread, gateway: edge === "h2", lateness });
  const { journal } = ledger;
  const happened = ledger.happened.bind(ledger);
  const cluster = new ClusterProcess({
    node,
    mode,
    edge,
    folder,
    journal,
    happened,
    failed: (what) => ledger.violated(what),
  });
  const seen = new Set<number>();
  let place: Place | undefined;
  const notePids = () => descendantsOf(cluster.pid).forEach((pid) => void seen.add(pid));
  try {
    place = await placeOf(edge, await cluster.up);
    const clients = new Clients(ledger, place, seed + 1);
    await pause(1_000);
    const before = [cluster.openDescriptors, await cluster.heapMb()] as const;
    const { brought, skipped } = await bring({ cluster, ledger, place, seconds, seed, meanwhile: notePids });
    const after = cluster.ended ? before : await recovered(cluster, ledger, before[0]);
    if (after[0] > before[0] + moreDescriptors)
      ledger.violated(`descriptors of the primary: ${before[0]}, then ${after[0]}`);
    if (after[1] > before[1] + 40) ledger.violated(`heap of the primary: ${before[1]} MB, then ${after[1]} MB`);
    notePids();
    ledger.closing = true;
    if (cluster.ended) ledger.violated(`the primary ended: ${await cluster.exited}, ${cluster.child.signalCode}`);
    else await end(cluster, ledger);
    await within(20_000, clients.ended, "clients did not end", ledger);
    await within(10_000, gone(seen), "processes are left", ledger);
    const { deaths } = ledger.balance();
    const { violations } = ledger;
    if (violations.length === 0) rmSync(folder, { recursive: true, force: true });
    const descriptors = [before[0], after[0]] as const;
    const heapMb = [before[1], after[1]] as const;
    const summary = ledger.summary();
    const messages = ledger.said.reduce((sum, said) => sum + said.count, 0);
    return { violations, summary, brought, skipped, deaths, messages, descriptors, heapMb, folder };
  } finally {
    lateness.stop();
    await place?.close();
    for (const pid of [...seen, cluster.pid]) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  }
}

interface Bringing {
  readonly cluster: ClusterProcess;
  readonly ledger: Ledger;
  readonly place: Place;
  readonly seconds: number;
  readonly seed: number;
  readonly meanwhile: () => void;
}

async function bring({ cluster, ledger, place, seconds, seed, meanwhile }: Bringing) {
  const brought = new Map<FaultName, number>();
  const underWay = new Map<FaultName, Promise<void>>();
  let skipped = 0;
  const begunAt = now();
  for (const { atMs, name, seed: own } of plan(Object.keys(faults) as FaultName[], seconds, seed)) {
    await pause(Math.max(0, begunAt + atMs - now()));
    if (cluster.ended) break;
    meanwhile();
    if (underWay.has(name)) {
      skipped += 1;
      continue;
    }
    brought.set(name, (brought.get(name) ?? 0) + 1);
    ledger.note(`fault ${name}`);
    const bringing = faults[name]({ cluster, ledger, place, random: seededRandom(own) }).then(
      () => ledger.note(`done ${name}`),
      (error: Error) => ledger.note(`done ${name}: ${error.message}`),
    );
    underWay.set(
      name,
      bringing.finally(() => underWay.delete(name)),
    );
  }
  await within(60_000, Promise.all(underWay.values()), "an operation did not end", ledger);
  return { brought, skipped };
}

/** All instances there again, and the primary as it was, as soon as it is; what it is like then, or at the end of patience. */
async function recovered(cluster: ClusterProcess, ledger: Ledger, before: number): Promise<readonly [number, number]> {
  try {
    await cluster.call("scale", 4);
    for (const { id, state } of (await cluster.status()).instances) {
      if (state === "drained" || state === "draining") await cluster.call("resume", id).catch(() => {});
    }
    const ready = async () => (await cluster.status()).instances.every(({ state }) => state === "ready");
    await eventually(ready, { withinMs: 30_000, what: "all instances are ready again" });
    if ((await cluster.status()).pid !== cluster.pid) ledger.violated("the primary has another PID");
    const closed = () => cluster.openDescriptors <= before + moreDescriptors;
    await eventually(closed, { withinMs: 8_000, what: "descriptors" }).catch(() => {});
  } catch (error) {
    ledger.violated(`no recovery: ${(error as Error).message}`);
  }
  return [cluster.openDescriptors, cluster.ended ? 0 : await cluster.heapMb()];
}

/** Under load. */
async function end(cluster: ClusterProcess, ledger: Ledger): Promise<void> {
  ledger.note("SIGTERM to the primary");
  cluster.child.kill("SIGTERM");
  await within(15_000, cluster.exited, "SIGTERM did not end the primary", ledger);
  if (cluster.child.exitCode !== 0) ledger.violated(`the primary's exit code is ${cluster.child.exitCode}`);
}

async function gone(pids: ReadonlySet<number>): Promise<void> {
  while ([...pids].some(isAlive)) await pause(100);
}

async function within(ms: number, what: Promise<unknown>, otherwise: string, ledger: Ledger): Promise<void> {
  const late = new AbortController();
  const tooLate = pause(ms, "late", { signal: late.signal }).catch(() => "cleared");
  if ((await Promise.race([what, tooLate])) === "late") ledger.violated(`${otherwise} within ${ms} ms`);
  late.abort();
}
