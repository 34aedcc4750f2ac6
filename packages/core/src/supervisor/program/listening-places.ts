import { readdir, readFile, readlink } from "node:fs/promises";
import { groupMembers } from "../group-members.ts";

/** Where somebody listens: `127.0.0.1:3001`, `[::]:8000`. */
export interface ListeningPlace {
  readonly host: string;
  readonly port: number;
}

const maxProcesses = 64;
const maxDescriptors = 4_096;

/** The TCP ports that the processes of a group listen on. Undefined: that cannot be told, on this system or of other users' processes. */
export async function listeningPlaces(leader: number): Promise<readonly ListeningPlace[] | undefined> {
  const members = (await groupMembers(new Set([leader]))).get(leader)!.slice(0, maxProcesses);
  // In the network that the program sees.
  const tables = await Promise.all(["tcp", "tcp6"].map((name) => readText(`/proc/${leader}/net/${name}`)));
  if (members.length === 0 || tables[0] === undefined) return undefined;
  const places = new Map(tables.flatMap((table) => listeners(table ?? "")));
  const found: ListeningPlace[] = [];
  let readable = false;
  for (const pid of members) {
    const names = await readdir(`/proc/${pid}/fd`).catch(() => undefined);
    if (names === undefined) continue;
    readable = true;
    const links = await Promise.all(names.slice(0, maxDescriptors).map((name) => linkOf(`/proc/${pid}/fd/${name}`)));
    for (const link of links) {
      const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
      const place = inode === undefined ? undefined : places.get(inode);
      if (place === undefined) continue;
      // Forked workers have it all alike.
      places.delete(inode!);
      found.push(place);
    }
  }
  return readable ? found : undefined;
}

export function shownPlace({ host, port }: ListeningPlace): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** It is open to other machines, as far as they get there. */
export function isOpenToAll({ host }: ListeningPlace): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** Of the lines of `/proc/net/tcp` those that listen, by the inodes of their sockets. */
function listeners(table: string): readonly (readonly [string, ListeningPlace])[] {
  return table.split("\n").flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state !== "0A" || local === undefined || inode === undefined) return [];
    const [address, port] = local.split(":") as [string, string];
    return [[inode, { host: hostOf(address), port: Number.parseInt(port, 16) }] as const];
  });
}

/** Each 32 bits of it are written as the machine has them, which is backwards wherever lb runs. */
function hostOf(hex: string): string {
  const bytes = hex.match(/.{8}/g)!.flatMap((word) => word.match(/../g)!.reverse());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => Number.parseInt(bytes[2 * at]! + bytes[2 * at + 1]!, 16));
  // As `new URL` shortens it.
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]`).hostname.slice(1, -1);
}

function readText(path: string): Promise<string | undefined> {
  return readFile(path, "latin1").catch(() => undefined);
}

function linkOf(path: string): Promise<string> {
  return readlink(path).catch(() => "");
}
