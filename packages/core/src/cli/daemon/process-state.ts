import { readFileSync } from "node:fs";

/** Whether a process runs. One that has ended and waits for somebody to ask about it does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // It is another user's.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return (
    procFile(pid, "stat")
      ?.replace(/^.*\) /s, "")
      .startsWith("Z") !== true
  );
}

/** What a process was started with; undefined: it is not known here. */
export function commandLine(pid: number): string | undefined {
  return procFile(pid, "cmdline")?.replaceAll("\0", " ").trim();
}

function procFile(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return undefined;
  }
}
