import {
  type BigIntStats,
  close as closeFile,
  constants,
  fstat,
  lstat,
  open as openFile,
  readlink,
  realpath,
  stat,
} from "node:fs";
import { sep } from "node:path";
import { promisify } from "node:util";

/**
 * Never through a link, whose target was judged already; never waiting for whoever writes to a FIFO; never a terminal of this process.
 * Where a system has no such flag it is undefined, and 0 here.
 */
const flags =
  constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

const calls = {
  close: promisify(closeFile),
  fstat: promisify(fstat) as unknown as (fd: number, options: { bigint: true }) => Promise<BigIntStats>,
  lstat: promisify(lstat) as unknown as (path: string, options: { bigint: true }) => Promise<BigIntStats>,
  open: promisify(openFile) as (path: string, flags: number) => Promise<number>,
  readlink: promisify(readlink) as (path: string) => Promise<string>,
  realpath: promisify(realpath.native) as (path: string) => Promise<string>,
  stat: promisify(stat) as unknown as (path: string, options: { bigint: true }) => Promise<BigIntStats>,
};

export interface OpenedFile {
  readonly fd: number;
  readonly stats: BigIntStats;
}

/** What is no regular file in reach is absent, whatever else it is (BAD-INPUTS 170, 171, 174). */
export type Opened = { readonly kind: "absent" | "directory" } | ({ readonly kind: "file" } & OpenedFile);

/** Not there, or nothing that we may read: for a client the same. Other errors are the machine's, and told. */
const absences = new Set([
  "ENOENT",
  "ENOTDIR",
  "ENAMETOOLONG",
  "ELOOP",
  "EACCES",
  "EPERM",
  "EINVAL",
  "ENXIO",
  "EISDIR",
]);

export function isAbsence(error: unknown): boolean {
  return absences.has((error as NodeJS.ErrnoException).code ?? "");
}

/** What version of which file it is. The time of its last change of state is in it: times of contents can be set. */
export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

export const statOf = (path: string): Promise<BigIntStats> => calls.stat(path, { bigint: true });
export const statOfOpen = (fd: number): Promise<BigIntStats> => calls.fstat(fd, { bigint: true });

/** For descriptors that nobody waits for. */
export function closeQuietly(fd: number): void {
  // EIO of a close says that what was written may be lost: nothing was.
  closeFile(fd, () => {});
}

/**
 * Opens `path` if it lies inside `root`, once all links are followed: those that lead from one place inside to another are fine. Nothing
 * outside is opened, and nothing but regular files. Somebody who can change the tree could exchange a directory for a link between our look
 * and our opening; what was opened is therefore looked at again.
 */
export async function openInside(root: string, path: string): Promise<Opened> {
  try {
    const [realRoot, real] = await Promise.all([calls.realpath(root), calls.realpath(path)]);
    if (!isInside(realRoot, real)) return { kind: "absent" };
    const before = await calls.lstat(real, { bigint: true });
    if (before.isDirectory()) return { kind: "directory" };
    if (!before.isFile()) return { kind: "absent" };
    const fd = await calls.open(real, flags);
    try {
      const stats = await statOfOpen(fd);
      const same = stats.isFile() && stats.dev === before.dev && stats.ino === before.ino;
      if (same && isInside(realRoot, await pathOfOpen(fd, real))) return { kind: "file", fd, stats };
    } catch (error) {
      closeQuietly(fd);
      throw error;
    }
    closeQuietly(fd);
    return { kind: "absent" };
  } catch (error) {
    if (isAbsence(error)) return { kind: "absent" };
    throw error;
  }
}

function isInside(root: string, path: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : root + sep) || path === root;
}

/** Linux knows by what path a descriptor was opened. Elsewhere the same path is followed once more. */
async function pathOfOpen(fd: number, real: string): Promise<string> {
  if (process.platform !== "linux") return calls.realpath(real);
  return calls.readlink(`/proc/self/fd/${fd}`).catch(() => calls.realpath(real));
}
