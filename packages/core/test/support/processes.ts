import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { eventually } from "./eventually.ts";

/** Zombies count as gone: they only wait for a parent that reaps them. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    // No /proc here, or the process ended just now.
    return process.platform !== "linux";
  }
}

export async function allGone(pids: readonly number[], withinMs?: number): Promise<void> {
  const what = () => `the processes ${pids.join(", ")} end; ${pids.filter(isAlive).join(", ")} are still there`;
  await eventually(() => pids.every((pid) => !isAlive(pid)), { ...(withinMs !== undefined && { withinMs }), what });
}

/** The processes that this one has started and that still run. */
export function childrenOf(pid: number): number[] {
  const rows = execFileSync("ps", ["-A", "-o", "ppid=,pid="], { encoding: "latin1" }).trim().split("\n");
  return rows
    .map((row) => row.trim().split(/\s+/).map(Number))
    .flatMap(([parent, child]) => (parent === pid ? child! : []));
}

/** Those that a process has started, and those that these have. */
export function descendantsOf(pid: number): number[] {
  const children = startedBy(pid);
  return [...children, ...children.flatMap(descendantsOf)];
}

function startedBy(pid: number): number[] {
  try {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
    return list.trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return process.platform === "linux" ? [] : childrenOf(pid);
  }
}
