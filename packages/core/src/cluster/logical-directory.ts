import { realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative } from "node:path";
import type { WorkerEntry } from "../supervisor/worker-entry.ts";

/**
 * The working directory as it was meant. The system knows only where it is; whoever went there by a link, as into Capistrano's `current`,
 * means wherever the link leads next time. Shells say so in `PWD`. Who starts without one (systemd, `npx`) may stand in `releases/<id>` beside a
 * `current` that leads there.
 */
export function logicalDirectory(cwd: string, pwd: string | undefined): string {
  if (pwd !== undefined && isAbsolute(pwd) && realOf(pwd) === cwd) return pwd;
  for (let release = cwd; dirname(release) !== release; release = dirname(release)) {
    if (basename(dirname(release)) !== "releases") continue;
    const current = join(dirname(dirname(release)), "current");
    if (realOf(current) === release) return join(current, relative(release, cwd));
  }
  return cwd;
}

/** A path within the working directory, by way of that as it was meant; others are what they are. */
export function logicalPath(path: string, cwd: string, logical: string): string {
  const within = relative(cwd, path);
  return within.startsWith("..") || isAbsolute(within) ? path : join(logical, within);
}

/** What is run again is found by way of the links that the primary was started through. */
export function throughLinks(entry: WorkerEntry, logical: string): WorkerEntry {
  return { ...entry, cwd: logical, file: logicalPath(entry.file, entry.cwd, logical) };
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
