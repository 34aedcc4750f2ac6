import type { Server, Socket } from "node:net";
import type { SharedPlace, WorkerMessage } from "../../ipc/messages.ts";
import { runApp } from "../agent-faults.ts";
import type { FurtherPorts } from "./interception.ts";
import { listenFailure } from "./listen-failure.ts";

/** A server as `net` keeps it: closed when it does not listen and counts no connection. */
type CountingServer = Server & {
  _connections: number;
  _emitCloseIfDrained?: () => void;
  readonly allowHalfOpen?: boolean;
  readonly noDelay?: boolean;
  readonly pauseOnConnect?: boolean;
};

interface Opening {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * The instance's end of the ports that the primary opens for all instances: it asks for them, and gives their servers the
 * connections that arrive over the channel.
 */
export class PortsOfThePrimary implements FurtherPorts {
  readonly #send: (message: WorkerMessage) => void;
  readonly #opening = new Map<string, Opening>();
  readonly #servers = new Map<string, Server>();

  constructor(send: (message: WorkerMessage) => void) {
    this.#send = send;
  }

  open(server: Server, port: number, host: string | undefined): Promise<void> {
    const place = host === undefined ? { port } : { port, host };
    const key = keyOf(place);
    if (this.#servers.get(key)?.listening === true || this.#opening.has(key)) {
      return Promise.reject(listenFailure({ code: "EADDRINUSE", port, host }));
    }
    this.#servers.set(key, server);
    server.once("close", () => {
      if (this.#servers.get(key) !== server) return;
      this.#servers.delete(key);
      this.#send({ type: "leave-port", place });
    });
    // As the server would, a program that has nothing else to do lives on for it.
    // biome-ignore lint/style/noRestrictedGlobals: it waits for nothing, and is there to keep the process.
    const hold = setInterval(() => {}, 1_000);
    return new Promise<void>((resolve, reject) => {
      this.#opening.set(key, { resolve, reject });
      this.#send({ type: "share-port", place });
    }).finally(() => clearInterval(hold));
  }

  /** The primary has opened the port, or could not. */
  opened(place: SharedPlace, errorCode: string | undefined): void {
    const key = keyOf(place);
    const opening = this.#opening.get(key);
    this.#opening.delete(key);
    if (errorCode === undefined) opening?.resolve();
    else opening?.reject(listenFailure({ code: errorCode, port: place.port, host: place.host }));
  }

  /** A connection to the port. Without its socket, there was no descriptor left for it here. */
  arrived(place: SharedPlace, socket: Socket | undefined): void {
    const server = this.#servers.get(keyOf(place)) as CountingServer | undefined;
    if (socket === undefined) return;
    if (server === undefined) {
      socket.destroy();
      return;
    }
    socket.allowHalfOpen = server.allowHalfOpen ?? false;
    if (server.noDelay === true) socket.setNoDelay(true);
    if (server.pauseOnConnect === true) socket.pause();
    // As those that it accepts itself, so that `server.close()` waits for them.
    server._connections += 1;
    socket.once("close", () => {
      server._connections -= 1;
      runApp(() => server._emitCloseIfDrained?.());
    });
    runApp(() => server.emit("connection", socket));
  }
}

function keyOf({ port, host = "" }: SharedPlace): string {
  return `${port} ${host}`;
}
