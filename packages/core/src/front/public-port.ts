import type { Socket } from "node:net";
import { emptyAcceptQueue } from "../model/accept-queue.ts";
import type { Clock } from "../model/clock.ts";
import { ConnectionTable, type ConnectionTableOptions, type PublicConnection } from "./connection-table.ts";
import { Listener } from "./listener.ts";

export interface PublicPortOptions<Connection extends PublicConnection> extends ConnectionTableOptions<Connection> {
  readonly clock: Clock;
}

/** The public port: a listener, the table of its connections, and how both end. */
export class PublicPort<Connection extends PublicConnection> {
  readonly #clock: Clock;
  readonly #table: ConnectionTable<Connection>;
  readonly #listener: Listener;
  #draining = false;

  constructor(options: PublicPortOptions<Connection>) {
    const { settings, observer, clock } = options;
    this.#clock = clock;
    this.#table = new ConnectionTable(options);
    this.#listener = new Listener({
      host: settings.host,
      port: settings.port,
      accepted: (socket, facts) => this.#table.admit(socket, facts),
      failed: (error) => observer.acceptFailed?.(error),
    });
  }

  /** Nothing is accepted any more, and no connection stays open for long. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Open connections. */
  get connections(): number {
    return this.#table.size;
  }

  /** Resolves with the port once it accepts; rejects with the system's error, e.g. `EADDRINUSE`. */
  listen(): Promise<number> {
    return this.#listener.listen();
  }

  /** Opens a connection that this port had accepted before; undefined if its client has left. */
  readmit(socket: Socket): Connection | undefined {
    return this.#table.readmit(socket, this.#listener.facts);
  }

  /** The connection has become a tunnel, and stays one. */
  tunnelOpened(): void {
    this.#table.tunnelOpened();
  }

  /** It is open no longer, or not here. */
  connectionClosed(connection: Connection, wasTunnel = false): void {
    this.#table.closed(connection, wasTunnel);
  }

  /** Stops accepting and drains what is open. Resolves when nothing is left but tunnels, at the latest after `graceMs`. */
  async quiesce(graceMs: number): Promise<void> {
    await this.#stopAccepting();
    await new Promise<void>((resolve) => {
      const deadline = this.#clock.after(graceMs, () => done());
      const done = () => {
        leave();
        deadline.cancel();
        resolve();
      };
      const leave = this.#table.onChange(() => this.#table.quiet && done());
      if (this.#table.quiet) done();
    });
  }

  /** As `quiesce`, but resolves when no connection is left; what is left after `graceMs` is destroyed. */
  async close(graceMs: number): Promise<void> {
    await this.#stopAccepting();
    const deadline = this.#clock.after(graceMs, () => this.#table.destroyAll());
    await this.#listener.close();
    deadline.cancel();
  }

  /** Connections are told to end when nothing is accepted any more, since their clients come anew. */
  async #stopAccepting(): Promise<void> {
    await emptyAcceptQueue(() => this.#listener.accepted);
    void this.#listener.close();
    this.#draining = true;
    this.#table.drain();
  }
}
