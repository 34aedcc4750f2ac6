import { closeSync, openSync, readSync } from "node:fs";
import { readdir } from "node:fs/promises";

/** What `/proc/<pid>/stat` says of a process, as far as it is of use here. */
export interface ProcessStat {
  readonly group: number;
  /** In ticks, with that of children which have ended and were waited for. */
  readonly cpuTicks: number;
  readonly rssPages: number;
}

/** Looked at between two turns of the event loop, which takes half a millisecond: what waits is the front. */
const perTurn = 32;
/** What `/proc` has is made when it is read, in microseconds: handing that to a thread and back costs eight times as much. */
const memory = Buffer.alloc(1_024);

/** Of those that there are, a few at a time. */
export async function processStats(pids: readonly number[]): Promise<ReadonlyMap<number, ProcessStat>> {
  const stats = new Map<number, ProcessStat>();
  for (const [index, pid] of pids.entries()) {
    const stat = processStat(pid);
    if (stat !== undefined) stats.set(pid, stat);
    if (index % perTurn === perTurn - 1) await new Promise(setImmediate);
  }
  return stats;
}

function processStat(pid: number): ProcessStat | undefined {
  try {
    const descriptor = openSync(`/proc/${pid}/stat`, "r");
    try {
      return parseStat(memory.toString("latin1", 0, readSync(descriptor, memory)));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

/**
 * A program may call itself what it likes, `) 1 (` included: what counts comes after the last bracket. Undefined for one that has ended
 * and only waits for a parent that asks for it (Z, X): where lb is process 1, nobody does.
 */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  const number = (index: number) => Number(fields[index]);
  const [group, rssPages] = [number(2), number(21)];
  const cpuTicks = number(11) + number(12) + number(13) + number(14);
  return [group, rssPages, cpuTicks].every(Number.isFinite) ? { group, rssPages, cpuTicks } : undefined;
}

/** The processes of these groups, by leader; none where there is no `/proc`. */
export async function groupMembers(leaders: ReadonlySet<number>): Promise<ReadonlyMap<number, readonly number[]>> {
  const members = new Map<number, number[]>([...leaders].map((leader) => [leader, []]));
  const all = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const [pid, { group }] of await processStats(all.map(Number))) members.get(group)?.push(pid);
  return members;
}
