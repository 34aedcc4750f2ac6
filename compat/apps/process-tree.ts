import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Set in the environment of what the gauntlet starts, and inherited by whatever that starts. */
export const marker = "LB_GAUNTLET_TREE";

export interface ListeningSocket {
  readonly pid: number;
  readonly address: string;
  readonly port: number;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
}

/**
 * All processes of a tree, those included that were orphaned or have a session of their own: who has the mark in its
 * environment, and who descends from such a one with an environment made anew.
 */
export function processesOf(tree: string): readonly number[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processOf(Number(name)) ?? []);
  const found = new Set(all.filter(({ pid }) => isMarked(pid, tree)).map(({ pid }) => pid));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent, session } of all) if (found.has(parent) || found.has(session)) found.add(pid);
  }
  return [...found];
}

export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim().slice(0, 160);
  } catch {
    return "ended";
  }
}

/** TCP sockets on which these processes listen. A socket that several hold is listed once for each. */
export function listeningSockets(pids: readonly number[]): readonly ListeningSocket[] {
  const byInode = new Map([...listening("tcp"), ...listening("tcp6")]);
  return pids.flatMap((pid) =>
    inodesOf(pid).flatMap((inode) => {
      const socket = byInode.get(inode);
      return socket === undefined ? [] : [{ pid, ...socket }];
    }),
  );
}

export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1" || address.startsWith("::ffff:127.");
}

function processOf(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name may hold anything, parentheses too.
    const [state, parent, , session] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended; it only waits for its parent to ask.
    return state === "Z" ? undefined : { pid, parent: Number(parent), session: Number(session) };
  } catch {
    return undefined;
  }
}

function isMarked(pid: number, tree: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`${marker}=${tree}`);
  } catch {
    return false;
  }
}

function inodesOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? [];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function listening(table: "tcp" | "tcp6"): readonly (readonly [string, { address: string; port: number }])[] {
  const lines = readFileSync(`/proc/net/${table}`, "latin1").trim().split("\n").slice(1);
  return lines.flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state !== "0A") return [];
    const [address, port] = local!.split(":");
    return [[inode!, { address: addressOf(address!), port: Number.parseInt(port!, 16) }] as const];
  });
}

/** The kernel writes addresses as 32-bit words in the machine's byte order, which is little-endian wherever this runs. */
function addressOf(hex: string): string {
  const bytes = Buffer.concat((hex.match(/.{8}/g) ?? []).map((word) => Buffer.from(word, "hex").reverse()));
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.every((byte) => byte === 0)) return "::";
  if (bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return "::1";
  if (bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff) {
    return `::ffff:${bytes.subarray(12).join(".")}`;
  }
  return bytes.toString("hex");
}
