import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { groupMembers, parseStat, processStats } from "../group-members.ts";

/** What the processes of a group have used so far, and have now. */
export interface GroupUsage {
  readonly cpuMs: number;
  /** Of all of them; what they share counts for each. */
  readonly rssBytes: number;
}

/** Asks the system what groups use, by leader; those that are gone are left out. */
export type ReadUsage = (leaders: ReadonlySet<number>) => Promise<ReadonlyMap<number, GroupUsage>>;

/** Linux counts in hundredths of a second for whoever asks, whatever the kernel counts in. */
const tickMs = 10;
/** A group's processes are looked for at every so manieth look, and the ones that were found are looked at each time. */
const findEvery = 5;

/** By `/proc`. */
export function procUsage(): ReadUsage {
  const pageBytes = pageSize();
  let members: ReadonlyMap<number, readonly number[]> = new Map();
  let looks = 0;
  return async (leaders) => {
    const isKnown = [...leaders].every((leader) => members.has(leader));
    if (!isKnown || looks % findEvery === 0) members = await groupMembers(leaders);
    looks += 1;
    const usage = new Map<number, GroupUsage>();
    for (const leader of leaders) {
      const stats = await processStats(members.get(leader) ?? []);
      const own = [...stats.values()].filter(({ group }) => group === leader);
      if (own.length === 0) continue;
      const sum = (of: "cpuTicks" | "rssPages") => own.reduce((total, stat) => total + stat[of], 0);
      usage.set(leader, { cpuMs: sum("cpuTicks") * tickMs, rssBytes: sum("rssPages") * pageBytes });
    }
    return usage;
  };
}

/** Node does not say it, but has both: what this process has in bytes, and in pages. A power of two lies between. */
function pageSize(): number {
  const pages = parseStat(readFileSync("/proc/self/stat", "latin1"))?.rssPages ?? 0;
  return pages === 0 ? 4_096 : 2 ** Math.round(Math.log2(process.memoryUsage.rss() / pages));
}

const psTimeoutMs = 5_000;
const psBytes = 4 * 1_048_576;

/** By `ps`, where there is no `/proc`. */
export function psUsage(): ReadUsage {
  return (leaders) =>
    new Promise((resolve) => {
      const options = { timeout: psTimeoutMs, maxBuffer: psBytes, env: { ...process.env, LC_ALL: "C" } };
      execFile("ps", ["-A", "-o", "pgid=,rss=,time="], options, (error, table) => {
        resolve(error === null ? usageIn(table, leaders) : new Map());
      });
    });
}

/** Lines such as `4242 10240 1:02.30`: the memory is in kilobytes. */
export function usageIn(table: string, leaders: ReadonlySet<number>): ReadonlyMap<number, GroupUsage> {
  const usage = new Map<number, GroupUsage>();
  for (const line of table.split("\n")) {
    const [, group, kilobytes, time] = /^\s*(\d+)\s+(\d+)\s+([\d:.-]+)\s*$/.exec(line) ?? [];
    const leader = Number(group);
    if (time === undefined || !leaders.has(leader)) continue;
    const { cpuMs, rssBytes } = usage.get(leader) ?? { cpuMs: 0, rssBytes: 0 };
    usage.set(leader, { cpuMs: cpuMs + milliseconds(time), rssBytes: rssBytes + Number(kilobytes) * 1_024 });
  }
  return usage;
}

/** `[[days-]hours:]minutes:seconds`, the seconds with hundredths on macOS. */
function milliseconds(time: string): number {
  const [clock, days = "0"] = time.split("-").reverse() as [string, string?];
  const seconds = clock.split(":").reduce((total, part) => total * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1_000;
}
