import { createServer, type Server } from "node:net";
import { setTimeout as after } from "node:timers/promises";

/**
 * Where ports are handed out: away from those that `workerPort: 0` looks at (10,240–32,767) and those that systems give to
 * connections (32,768 and above), so that nothing but other tests could take one. No browser talks to some above 10,079.
 */
const region = { first: 6_800, blocks: 15, blockSize: 200 };

/** Where those blocks are left out that clusters under `lb start` take admin listeners' ports from. */
const gap = { from: 9_400, size: 200 };

/** Of a block: its claim, ports for whoever asks, and runs of ports for the instances of clusters. */
const singles = { first: 1, end: 100 };
const runs = { first: 100, size: 10, count: 10 };

let block: Promise<number> | undefined;
let nextSingle = singles.first;
let nextRun = 0;
const runsInUse = new Set<number>();

/** A port that something listens on until the server is closed. */
export function takePort(port = 0): Promise<{ port: number; server: Server }> {
  return listenOn(port, "127.0.0.1");
}

/**
 * The first of `count` consecutive ports that nobody listens on, and that no other process is given while this one runs:
 * tests run beside each other.
 */
export async function freePorts(count: number): Promise<number> {
  const first = await claimedBlock();
  for (let tried = 0; tried < 2 * singles.end; tried += 1) {
    if (nextSingle + count > singles.end) nextSingle = singles.first;
    const port = first + nextSingle;
    const busy = await firstBusy(port, count);
    nextSingle = busy === undefined ? nextSingle + count : busy - first + 1;
    if (busy === undefined) return port;
  }
  throw new Error(`No ${count} consecutive ports of those from ${first} on are free`);
}

/** Ports for the instances of one cluster, until it is gone. */
export interface InstancePorts {
  readonly first: number;
  readonly count: number;
  release(): void;
}

/** What hands them out at once: the one that was released longest ago comes first. */
export async function instancePorts(): Promise<() => InstancePorts> {
  const first = await claimedBlock();
  return () => {
    for (let tried = 0; tried < runs.count; tried += 1) {
      const run = nextRun;
      nextRun = (nextRun + 1) % runs.count;
      if (runsInUse.has(run)) continue;
      runsInUse.add(run);
      return { first: first + runs.first + run * runs.size, count: runs.size, release: () => runsInUse.delete(run) };
    }
    throw new Error(`More than ${runs.count} clusters at the same time`);
  };
}

/** A process claims a block by listening on the first port of it, for as long as it lives. */
function claimedBlock(): Promise<number> {
  block ??= claimBlock();
  return block;
}

async function claimBlock(): Promise<number> {
  const start = process.pid % region.blocks;
  for (let step = 0; step < 1_000; step += 1) {
    const plain = region.first + region.blockSize * ((start + step) % region.blocks);
    const first = plain < gap.from ? plain : plain + gap.size;
    const claim = await takePort(first).catch(() => undefined);
    if (claim !== undefined) {
      claim.server.unref();
      if ((await firstBusy(first + runs.first, runs.size * runs.count)) === undefined) return first;
      claim.server.close();
    }
    // All of them are claimed: those who did so are tests, and end.
    if (step % region.blocks === region.blocks - 1) await after(500);
  }
  throw new Error(`No block of ports from ${region.first} on is free`);
}

/** On any address: some programs listen on all of them. */
async function firstBusy(first: number, count: number): Promise<number | undefined> {
  for (let port = first; port < first + count; port += 1) {
    const probe = await listenOn(port).catch(() => undefined);
    if (probe === undefined) return port;
    await new Promise((closed) => probe.server.close(closed));
  }
  return undefined;
}

function listenOn(port: number, host?: string): Promise<{ port: number; server: Server }> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen({ port, host }, () => resolve({ port: (server.address() as { port: number }).port, server }));
  });
}
