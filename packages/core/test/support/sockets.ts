import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What the processes listen on, as `address:port`, from /proc: Linux only, as is what asks. */
export function listensOf(pids: readonly number[]): string[] {
  const inodes = new Set(pids.flatMap(socketInodes));
  return [...listening("/proc/net/tcp", ipv4), ...listening("/proc/net/tcp6", ipv6)]
    .filter(({ inode }) => inodes.has(inode))
    .map(({ at }) => at)
    .sort();
}

function socketInodes(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${fd}`))?.[1] ?? [];
    } catch {
      // Closed since it was listed.
      return [];
    }
  });
}

const listenState = "0A";

function listening(table: string, address: (hex: string) => string): { at: string; inode: string }[] {
  return readFileSync(table, "latin1")
    .split("\n")
    .slice(1)
    .map((row) => row.trim().split(/\s+/))
    .filter((fields) => fields[3] === listenState)
    .map((fields) => {
      const [host, port] = fields[1]!.split(":") as [string, string];
      return { at: `${address(host)}:${Number.parseInt(port, 16)}`, inode: fields[9]! };
    });
}

/** As the kernel prints it: a little-endian number. */
function ipv4(hex: string): string {
  return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(".");
}

function ipv6(hex: string): string {
  if (/^0+$/.test(hex)) return "::";
  return hex === "00000000000000000000000001000000" ? "::1" : hex;
}
