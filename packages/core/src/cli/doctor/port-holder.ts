import { readdirSync, readlinkSync } from "node:fs";
import { textAt } from "./proc.ts";

const listening = "0A";

/** The process that listens on a port of TCP; undefined: it is another user's, or this is not Linux. */
export function holderOf(port: number): { readonly pid: number; readonly name: string } | undefined {
  const sockets = new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap((table) => inodesIn(textAt(table) ?? "", port)));
  if (sockets.size === 0) return undefined;
  for (const pid of entries("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const fd of entries(`/proc/${pid}/fd`)) {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(target(`/proc/${pid}/fd/${fd}`)) ?? [];
      if (inode !== undefined && sockets.has(inode))
        return { pid: Number(pid), name: textAt(`/proc/${pid}/comm`)?.trim() ?? "a process" };
    }
  }
  return undefined;
}

function inodesIn(table: string, port: number): readonly string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    return local.endsWith(`:${hex}`) && state === listening ? [inode] : [];
  });
}

function entries(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return "";
  }
}
