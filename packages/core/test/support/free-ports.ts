import { createServer, type Server } from "node:net";

/** A port that something listens on until the server is closed. */
export function takePort(port = 0): Promise<{ port: number; server: Server }> {
  return listenOn(port, "127.0.0.1");
}

/**
 * Where ports are handed out: away from those that `workerPort: 0` looks at (10,240–32,767) and those that systems give to
 * connections (32,768 and above), so that nothing but other tests could take one.
 */
const region = { first: 7_000, blocks: 30, blockSize: 100 };

/** Ports of this process's own: it listens on the first of them for as long as it lives, and others leave them alone. */
interface Block {
  readonly first: number;
  /** The next to be handed out. */
  next: number;
}

let block: Promise<Block> | undefined;

/**
 * The first of `count` consecutive ports that nobody listens on, and that no other process is given while this one runs:
 * tests run beside each other.
 */
export async function freePorts(count: number): Promise<number> {
  block ??= claimBlock();
  const own = await block;
  for (let tried = 0; tried < 2 * region.blockSize; tried += 1) {
    if (own.next + count > own.first + region.blockSize) own.next = own.first + 1;
    const first = own.next;
    const busy = await firstBusy(first, count);
    own.next = busy === undefined ? first + count : busy + 1;
    if (busy === undefined) return first;
  }
  throw new Error(`No ${count} consecutive ports of those from ${own.first} on are free`);
}

async function claimBlock(): Promise<Block> {
  const start = process.pid % region.blocks;
  for (let step = 0; step < region.blocks; step += 1) {
    const first = region.first + region.blockSize * ((start + step) % region.blocks);
    const claim = await takePort(first).catch(() => undefined);
    if (claim === undefined) continue;
    claim.server.unref();
    return { first, next: first + 1 };
  }
  throw new Error(`Something listens on the first port of each block from ${region.first} on`);
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
