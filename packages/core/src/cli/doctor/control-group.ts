import { join } from "node:path";
import type { Machine } from "./machine.ts";
import { textAt } from "./proc.ts";

type Quotas = Pick<Machine, "cpuQuota" | "throttled" | "memoryLimitBytes" | "oomKills">;

/** Where a file of a control group is read. Undefined: there is none. */
export type ReadFile = (path: string) => string | undefined;

/** Of version 1, what is no limit: as many pages as there can be. */
const noLimitBytes = 2 ** 60;
const root = "/sys/fs/cgroup";

/** What the control groups allow in which this process is, of version 2 or 1, or both. */
export function controlGroup(read: ReadFile = textAt): Quotas {
  const groups = (read("/proc/self/cgroup") ?? "").trim().split("\n");
  const pathOf = (controller: string) =>
    groups.map((line) => line.split(":")).find(([, names = ""]) => names.split(",").includes(controller))?.[2];
  const unified = pathOf("") ?? "/";
  // A group is held by all those that it is in.
  const over = (mount: string, path: string) => withParents(path).map((one) => join(mount, one));
  const v2 = [...over(root, unified), ...over(join(root, "unified"), unified)];
  const cpu1 = [
    ...over(join(root, "cpu"), pathOf("cpu") ?? "/"),
    ...over(join(root, "cpu,cpuacct"), pathOf("cpu") ?? "/"),
  ];
  const memory1 = over(join(root, "memory"), pathOf("memory") ?? "/");
  const quotas = [
    ...v2.map((folder) => quota2(read(join(folder, "cpu.max")))),
    ...cpu1.map((folder) => quota1(read, folder)),
  ];
  const limits = [
    ...v2.map((folder) => read(join(folder, "memory.max"))),
    ...memory1.map((folder) => read(join(folder, "memory.limit_in_bytes"))),
  ].map((text) => (text === undefined || !/^\d+$/.test(text.trim()) ? undefined : Number(text)));
  const stat = [...v2, ...cpu1]
    .map((folder) => read(join(folder, "cpu.stat")))
    .find((text) => text?.includes("nr_throttled"));
  const events = [
    ...v2.map((folder) => read(join(folder, "memory.events"))),
    ...memory1.map((folder) => read(join(folder, "memory.oom_control"))),
  ].find((text) => text !== undefined);
  const periods = field(stat, "nr_periods") ?? 0;
  return {
    cpuQuota: least(quotas),
    throttled: periods === 0 ? undefined : (field(stat, "nr_throttled") ?? 0) / periods,
    memoryLimitBytes: least(limits.filter((bytes) => bytes === undefined || bytes < noLimitBytes)),
    oomKills: field(events, "oom_kill"),
  };
}

/** `/a/b`, `/a`, `/`: the last is what a container sees of its own, wherever that is outside. */
function withParents(path: string): readonly string[] {
  const parts = path.split("/").filter((part) => part !== "");
  return Array.from({ length: parts.length + 1 }, (_, cut) => `/${parts.slice(0, parts.length - cut).join("/")}`);
}

function quota2(text: string | undefined): number | undefined {
  const [, quota, period] = /^(\d+) (\d+)/.exec(text ?? "") ?? [];
  return quota === undefined ? undefined : Number(quota) / Number(period);
}

function quota1(read: ReadFile, folder: string): number | undefined {
  const quota = Number(read(join(folder, "cpu.cfs_quota_us")) ?? -1);
  return quota > 0 ? quota / Number(read(join(folder, "cpu.cfs_period_us")) ?? 100_000) : undefined;
}

function field(text: string | undefined, name: string): number | undefined {
  const [, digits] = new RegExp(`^${name} (\\d+)`, "m").exec(text ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
