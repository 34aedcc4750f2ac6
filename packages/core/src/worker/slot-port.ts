import type { Server } from "node:http";
import { createServer, type Server as NetServer } from "node:net";
import type { Clock, Timer } from "../model/clock.ts";
import { runApp } from "./agent-faults.ts";
import type { InstancePort } from "./instance-port.ts";

/** Somebody else may have been quicker to take the port that a predecessor left; it is tried again so often. */
const retryMs = 1_000;

/**
 * The slot's own port, opened in addition to the one that a successor was started on: direct access to the instance
 * goes on where it was. Its connections are given to the app's server as if that had accepted them.
 */
export class SlotPort {
  readonly #server: Server;
  readonly #at: InstancePort;
  readonly #clock: Clock;
  #listener: NetServer | undefined;
  #retry: Timer | undefined;

  constructor(server: Server, at: InstancePort, clock: Clock) {
    this.#server = server;
    this.#at = at;
    this.#clock = clock;
    this.#open();
  }

  close(): void {
    this.#retry?.cancel();
    this.#listener?.close();
  }

  #open(): void {
    // As `http.Server` has its own listener.
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      runApp(() => this.#server.emit("connection", socket));
    });
    this.#listener = listener;
    listener.once("error", () => {
      listener.close();
      this.#retry = this.#clock.after(retryMs, () => this.#open());
    });
    listener.listen({ ...this.#at, exclusive: true });
  }
}
