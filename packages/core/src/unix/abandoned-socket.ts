import { lstatSync, renameSync, type Stats, unlinkSync } from "node:fs";
import { isServed } from "./served-socket.ts";

/**
 * Removes the socket that a killed process has left at `path`. One at which somebody listens stays, and so does what is no
 * socket: whoever opens one there is told.
 */
export async function removeAbandonedSocket(path: string): Promise<void> {
  const found = socketAt(path);
  if (found === undefined || (await isServed(path))) return;
  // Somebody else may have found the same, and have a socket of its own there by now: what is moved away is looked at again.
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    if (isSame(lstatSync(aside), found)) unlinkSync(aside);
    else renameSync(aside, path);
  } catch {
    // It is gone, or may not be removed, which opening another one there will show.
  }
}

function socketAt(path: string): Stats | undefined {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found?.isSocket() === true ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Numbers of files are used again. */
function isSame(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.mtimeMs === other.mtimeMs;
}
