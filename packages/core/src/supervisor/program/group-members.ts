import { readdir, readFile } from "node:fs/promises";

/** What `/proc/<pid>/stat` says of a process, as far as it is of use here. */
export interface ProcessStat {
  readonly group: number;
  /** In ticks, with that of children which have ended and were waited for. */
  readonly cpuTicks: number;
  readonly rssPages: number;
}

/** Looked at between two turns of the event loop. */
const perTurn = 64;

/** Undefined: there is no such process (any more). */
export async function processStat(pid: number | string): Promise<ProcessStat | undefined> {
  try {
    return parseStat(await readFile(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined;
  }
}

/** A program may call itself what it likes, `) 1 (` included: what counts comes after the last bracket. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const number = (index: number) => Number(fields[index]);
  const [group, rssPages] = [number(2), number(21)];
  const cpuTicks = number(11) + number(12) + number(13) + number(14);
  return [group, rssPages, cpuTicks].every(Number.isFinite) ? { group, rssPages, cpuTicks } : undefined;
}

/** The processes of these groups, by leader; none where there is no `/proc`. */
export async function groupMembers(leaders: ReadonlySet<number>): Promise<ReadonlyMap<number, readonly number[]>> {
  const members = new Map<number, number[]>([...leaders].map((leader) => [leader, []]));
  const all = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (let at = 0; at < all.length; at += perTurn) {
    const some = all.slice(at, at + perTurn);
    const stats = await Promise.all(some.map((pid) => processStat(pid)));
    for (const [index, stat] of stats.entries())
      if (stat !== undefined) members.get(stat.group)?.push(Number(some[index]));
  }
  return members;
}
