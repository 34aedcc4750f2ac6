import { connect, type Socket } from "node:net";
import { WorkerEnd } from "../hub/worker-end.ts";
import type { Clock } from "../model/clock.ts";
import { contained } from "./agent-faults.ts";

export interface HubConnectionOptions {
  /** The primary's socket. */
  readonly path: string;
  readonly endpointId: string;
  readonly clock: Clock;
}

/** A connection that breaks sooner than this is not made anew at once. */
const briefMs = 1_000;
const retryMs = 100;

/** This worker's part of the hub. It is connected at its first use, and again when that breaks; it holds no process. */
export function openWorkerHub({ path, endpointId, clock }: HubConnectionOptions): WorkerEnd {
  const end = new WorkerEnd({ endpointId, clock, connect: () => open() });

  function open(): void {
    const socket = connect(path);
    socket.unref();
    let openSince: number | undefined;
    let failure: (Error & { readonly code?: string }) | undefined;
    const fail = () => void socket.destroy();
    const connected = contained(
      "the hub's connection",
      () => {
        openSince = clock.now();
        end.connected(socket);
      },
      fail,
    );
    socket.on("connect", connected);
    socket.on("data", (chunk) => receive(socket, chunk));
    socket.on("error", (error) => {
      failure = error;
    });
    const closed = contained("the end of the hub's connection", () => {
      if (openSince !== undefined) {
        end.broke(failure);
        if (clock.now() - openSince >= briefMs) open();
        else clock.after(retryMs, openAgain);
        return;
      }
      // As many connections wait to be accepted as the system allows: the primary is there.
      if (failure?.code === "EAGAIN") clock.after(retryMs, openAgain);
      else end.lost(failure);
    });
    socket.on("close", closed);
  }

  const openAgain = contained("the hub's next connection", open, () => end.lost(undefined));

  function receive(socket: Socket, chunk: Buffer): void {
    try {
      end.receive(chunk);
    } catch (error) {
      socket.destroy(error as Error);
    }
  }

  return end;
}
