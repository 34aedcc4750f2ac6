import { readFileSync, readlinkSync } from "node:fs";

/** A row of `/proc/net/unix`: number, references, protocol, flags, type, state, inode, path. */
const row = /^\S+: \S+ \S+ \S+ \S+ \S+ +(\d+) (\/.+)$/;

/** Where a Unix socket that was inherited is in the file system. Undefined: nowhere, or this system does not tell. */
export function pathOfInherited(fd: number): string | undefined {
  try {
    const [, socket] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`)) ?? [];
    for (const line of readFileSync("/proc/net/unix", "utf8").split("\n")) {
      const [, inode, path] = row.exec(line) ?? [];
      if (inode !== undefined && inode === socket) return path;
    }
  } catch {
    // Not Linux, or without /proc.
  }
  return undefined;
}
