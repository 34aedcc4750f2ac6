import { createServer, type Server, type Socket } from "node:net";
import { BatchedOutput } from "../hub/batched-output.ts";
import { Hub } from "../hub/hub.ts";
import type { HubCounts } from "../hub/hub-counts.ts";
import { helloTimeoutMs, maxConnections } from "../hub/limits.ts";
import type { Clock, Timer } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";

export interface HubServerOptions {
  /** In a directory that nobody else can enter. */
  readonly path: string;
  readonly clock: Clock;
  /** An instance did not read what others sent it, and was cut off; it connects again. */
  readonly overflowed: (endpointId: string, queuedBytes: number) => void;
}

/** The primary's end of the hub: a private socket on which workers find it. */
export interface HubServer {
  readonly counts: HubCounts;
  close(): void;
}

const sweepMs = 10_000;

/** @throws LbError `LB_INTAKE` */
export async function openHub({ path, clock, overflowed }: HubServerOptions): Promise<HubServer> {
  const hub = new Hub(clock);
  const sockets = new Set<Socket>();
  let sweeping: Timer | undefined;
  const sweep = () => {
    hub.sweep();
    sweeping = clock.after(sweepMs, sweep);
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    serve(hub, socket, { clock, overflowed });
    socket.on("close", () => sockets.delete(socket));
  });
  server.maxConnections = maxConnections;
  await listen(server, path);
  // It holds no process, nor do its connections.
  server.unref();
  sweep();
  return {
    get counts() {
      return hub.counts;
    },
    close() {
      sweeping?.cancel();
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function serve(hub: Hub, socket: Socket, { clock, overflowed }: Pick<HubServerOptions, "clock" | "overflowed">): void {
  socket.unref();
  const output = new BatchedOutput();
  output.attach(socket);
  const session = hub.connect({ output, overflowed, destroy: () => socket.destroy() });
  const nameless = clock.after(helloTimeoutMs, () => {
    if (session.instance === 0) socket.destroy();
  });
  socket.on("data", (chunk) => session.receive(chunk));
  // "close" follows.
  socket.on("error", () => {});
  socket.on("close", () => {
    nameless.cancel();
    session.lost();
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new LbError("LB_INTAKE", `Cannot open the private socket ${path}: ${cause.message}`, { cause }));
    });
    server.listen(path, resolve);
  });
}
