import { setTimeout as after } from "node:timers/promises";
import { residentBytes } from "./cpu.ts";
import { ClientProcess, startServers } from "./socket-processes.ts";

export interface HoldOptions {
  readonly clients: number;
  readonly mode: "proxy" | "handoff";
  /** For how long. */
  readonly seconds: number;
  /** Of clients; each needs a descriptor a client. */
  readonly processes: number;
}

export interface HoldReport extends HoldOptions {
  readonly connected: number;
  readonly refused: number;
  readonly connectSeconds: number;
  /** Connections lost until the end. */
  readonly lost: number;
  /** Clients that got the broadcast at the end, and how long the last one waited. */
  readonly heard: number;
  readonly broadcastSeconds: number;
  readonly frontBytesPerClient: number;
  readonly workerBytesPerClient: number;
}

const instances = 4;
/** Source addresses of a process: each has some 28,000 ports to one destination. */
const addressesPerProcess = 4;
const broadcastMs = 30_000;

/** Connects clients to four instances, holds them, and sends to all of them at the end. */
export async function hold(options: HoldOptions): Promise<HoldReport> {
  const { clients, mode, seconds, processes } = options;
  const servers = await startServers("sockets-lb", { CLUSTER: JSON.stringify({ mode, instances }) });
  const holders: ClientProcess[] = [];
  try {
    const before = { front: residentBytes([servers.frontPid]), workers: residentBytes(servers.workerPids) };
    const startedAt = performance.now();
    const opened = await Promise.all(
      Array.from({ length: processes }, (_, index) => {
        const holder = new ClientProcess();
        holders.push(holder);
        const count = Math.floor(clients / processes) + (index < clients % processes ? 1 : 0);
        const from = Array.from(
          { length: addressesPerProcess },
          (_, at) => `127.0.2.${index * addressesPerProcess + at + 1}`,
        );
        return holder.ask({ do: "open", url: servers.url, count, from });
      }),
    );
    const connected = opened.reduce((sum, { open }) => sum + open, 0);
    const refused = opened.reduce((sum, answer) => sum + answer.refused, 0);
    const connectSeconds = (performance.now() - startedAt) / 1_000;
    await after(seconds * 1_000);
    const held = { front: residentBytes([servers.frontPid]), workers: residentBytes(servers.workerPids) };
    const left = await Promise.all(holders.map((holder) => holder.ask({ do: "count" })));
    const saidAt = performance.now();
    const heard = await Promise.race([
      Promise.all(
        holders.map((holder, index) =>
          holder.ask({ do: "expect", emit: index === 0 ? ["say", "to all"] : undefined, events: left[index]!.open }),
        ),
      ),
      after(broadcastMs, undefined, { ref: false }),
    ]);
    const broadcastSeconds = (performance.now() - saidAt) / 1_000;
    return {
      ...options,
      connected,
      refused,
      connectSeconds,
      lost: connected - left.reduce((sum, { open }) => sum + open, 0),
      heard: heard?.reduce((sum, { events }) => sum + events, 0) ?? 0,
      broadcastSeconds,
      frontBytesPerClient: Math.round((held.front - before.front) / connected),
      workerBytesPerClient: Math.round((held.workers - before.workers) / connected),
    };
  } finally {
    await Promise.all(holders.map((holder) => holder.stop()));
    await servers.stop();
  }
}
