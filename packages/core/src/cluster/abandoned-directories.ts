import { type Dirent, promises as fs } from "node:fs";
import { join } from "node:path";
import { isServed } from "../unix/served-socket.ts";

/** So many at a time; the next start takes more. */
const most = 64;
/** Until then its cluster may be about to open the hub, or its workers about to end. */
const youngMs = 60_000;

/**
 * Removes the directories for private sockets that killed clusters of this user left in `parent`. One is abandoned when its
 * process is gone, nobody listens at its hub (in another container that process may have another number), and it
 * has not changed for a minute. Never rejects.
 */
export async function removeAbandoned(parent: string, now: number): Promise<void> {
  const entries = await fs.readdir(parent, { withFileTypes: true }).catch((): Dirent[] => []);
  const named = entries.filter((entry) => entry.isDirectory() && /^lb-\d{1,10}-[A-Za-z0-9]{6}$/.test(entry.name));
  for (const { name } of named.slice(0, most)) {
    const directory = join(parent, name);
    if (await isAbandoned(directory, Number(name.split("-")[1]), now)) {
      await fs.rm(directory, { recursive: true, force: true }).catch(() => {});
    }
  }
}

async function isAbandoned(directory: string, pid: number, now: number): Promise<boolean> {
  try {
    const found = await fs.lstat(directory);
    if (!found.isDirectory() || found.uid !== process.getuid?.()) return false;
    if ((found.mode & 0o077) !== 0 || now - found.mtimeMs < youngMs) return false;
  } catch {
    return false;
  }
  return !isAlive(pid) && !(await isServed(join(directory, "hub.sock")));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
