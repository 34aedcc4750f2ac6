import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../../packages/core/test/support/eventually.ts";
import { descendantsOf, isAlive } from "../../packages/core/test/support/processes.ts";
import { seededRandom } from "../../packages/core/test/support/seeded-random.ts";
import { Clients } from "./clients.ts";
import { ClusterProcess } from "./cluster-process.ts";
import { faults } from "./faults.ts";
import { Ledger } from "./ledger.ts";

export interface ChaosOptions {
  readonly node: string;
  readonly mode: "proxy" | "handoff";
  readonly seconds: number;
  readonly seed: number;
}

export interface ChaosReport {
  readonly violations: readonly string[];
  readonly ledger: Ledger;
  /** How often each fault was brought about. */
  readonly brought: ReadonlyMap<string, number>;
  readonly deaths: number;
  readonly descriptors: readonly [before: number, after: number];
  readonly residentMb: readonly [before: number, after: number];
  /** Holds `events.log`, `output.log` and `worked`; removed if nothing was violated. */
  readonly folder: string;
}

/** A real cluster under clients of every kind, to which things happen at random; then the ledger is balanced. */
export async function chaos({ node, mode, seconds, seed }: ChaosOptions): Promise<ChaosReport> {
  const folder = mkdtempSync(join(tmpdir(), "lb-chaos-"));
  const ledger = new Ledger(folder, mode);
  const cluster = new ClusterProcess({
    node,
    mode,
    folder,
    onExit: ({ instance, pid, reason, signal, exitCode }) => {
      ledger.note(`exit of ${instance} (${pid}): ${reason} ${signal ?? ""}`);
      // A second SIGTERM, or one in a drain, ends an instance at once, as it would without us; all other ends are of its own.
      // One that crashes while a reload watches it is told as taken back.
      if (reason === "crashed" || signal !== null || exitCode !== 0) ledger.died(pid);
    },
  });
  const seen = new Set<number>();
  const notePids = () => descendantsOf(cluster.pid).forEach((pid) => void seen.add(pid));
  const brought = new Map<string, number>();
  try {
    const port = await cluster.up;
    const random = seededRandom(seed);
    const clients = new Clients(ledger, port, seededRandom(seed + 1));
    await pause(1_000);
    const before = [cluster.openDescriptors, cluster.residentMb] as const;
    const until = performance.now() + seconds * 1_000;
    const names = Object.keys(faults);
    const underWay = new Map<string, Promise<void>>();
    while (performance.now() < until && !cluster.ended) {
      const name = names[Math.floor(random() * names.length)]!;
      // One of a kind at a time: operations take turns, and would only queue up.
      if (!underWay.has(name)) {
        brought.set(name, (brought.get(name) ?? 0) + 1);
        ledger.note(`fault ${name}`);
        const bringing = faults[name]!({ cluster, ledger, port, random }).then(
          () => ledger.note(`done ${name}`),
          (error: Error) => ledger.note(`done ${name}: ${error.message}`),
        );
        underWay.set(
          name,
          bringing.finally(() => underWay.delete(name)),
        );
      }
      notePids();
      await pause(200 + random() * 800);
    }
    await within(60_000, Promise.all(underWay.values()), "an operation did not end", ledger);
    await pause(500);
    await within(40_000, clients.stop(), "clients did not end", ledger);
    const after = cluster.ended ? before : await recovered(cluster, ledger, before[0]);
    if (after[0] > before[0] + 12) ledger.violated(`descriptors of the primary: ${before[0]}, then ${after[0]}`);
    if (after[1] > before[1] + 120) ledger.violated(`memory of the primary: ${before[1]} MB, then ${after[1]} MB`);
    notePids();
    if (cluster.ended) ledger.violated(`the primary ended: ${await cluster.exited}, ${cluster.child.signalCode}`);
    else await end(cluster, ledger);
    await within(10_000, gone(seen), "processes are left", ledger);
    ledger.balance();
    const { violations } = ledger;
    if (violations.length === 0) rmSync(folder, { recursive: true, force: true });
    const descriptors = [before[0], after[0]] as const;
    const residentMb = [before[1], after[1]] as const;
    return { violations, ledger, brought, deaths: ledger.deaths.length, descriptors, residentMb, folder };
  } finally {
    for (const pid of [...seen, cluster.pid]) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  }
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
    const closed = () => cluster.openDescriptors <= before;
    await eventually(closed, { withinMs: 8_000, what: "descriptors" }).catch(() => {});
  } catch (error) {
    ledger.violated(`no recovery: ${(error as Error).message}`);
  }
  return [cluster.openDescriptors, cluster.residentMb];
}

async function end(cluster: ClusterProcess, ledger: Ledger): Promise<void> {
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
