import type { Socket } from "node:net";
import { emptyAcceptQueue } from "../model/accept-queue.ts";
import type { Clock } from "../model/clock.ts";
import type { HandshakeFailure } from "../tls/handshakes.ts";
import { ConnectionTable, type ConnectionTableOptions, type PublicConnection } from "./connection-table.ts";
import { Listener } from "./listener.ts";
import type { ListenerFacts } from "./listener-facts.ts";
import { ProxiedPeers } from "./proxied-peers.ts";
import type { CertificateStore } from "./tls/certificate-store.ts";

export interface PublicPortOptions<Connection extends PublicConnection> extends ConnectionTableOptions<Connection> {
  readonly clock: Clock;
  /** For the listener with TLS, if the settings have one. */
  readonly certificates?: CertificateStore | undefined;
}

/** The public ports: listeners, the table of their connections, and how both end. */
export class PublicPort<Connection extends PublicConnection> {
  readonly #clock: Clock;
  readonly #table: ConnectionTable<Connection>;
  /** The one without TLS first. */
  readonly #listeners: readonly Listener[];
  #draining = false;

  constructor(options: PublicPortOptions<Connection>) {
    const { settings, observer, clock, wheel, certificates } = options;
    this.#clock = clock;
    this.#table = new ConnectionTable(options);
    const peers = new ProxiedPeers({ wheel, timeoutMs: settings.timeouts.headersMs });
    const shared = {
      accepted: (socket: Socket, facts: ListenerFacts) => this.#table.admit(socket, facts),
      arrived: () => this.#table.changed(),
      failed: (error: Error) => observer.acceptFailed?.(error),
      proxied: settings.proxyProtocol ? { peers, isProxy: settings.trustsPeer } : undefined,
    };
    const { host, port, https } = settings;
    this.#listeners = [new Listener({ ...shared, host, port })];
    if (https !== false && certificates !== undefined) {
      const failed = (reason: HandshakeFailure) => observer.handshakeFailed?.(reason);
      const { host: httpsHost = host, port: httpsPort, strictSni, handshakeTimeoutMs, maxHandshakes } = https;
      const handshakes = { certificates, strictSni, handshakeTimeoutMs, maxHandshakes, failed };
      this.#listeners = [
        ...this.#listeners,
        new Listener({ ...shared, host: httpsHost, port: httpsPort, tls: handshakes }),
      ];
    }
  }

  /** Nothing is accepted any more, and no connection stays open for long. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Open connections. */
  get connections(): number {
    return this.#table.size;
  }

  /**
   * Resolves with the ports once they accept, the one without TLS first; rejects with the system's error, e.g. `EADDRINUSE`,
   * that has the number of its port among them as `listener`.
   */
  async listen(): Promise<readonly number[]> {
    const ports: number[] = [];
    for (const [number, listener] of this.#listeners.entries()) {
      try {
        ports.push(await listener.listen());
      } catch (error) {
        throw Object.assign(error as Error, { listener: number });
      }
    }
    return ports;
  }

  /** Of the listener with TLS. */
  get httpsPort(): number {
    return this.#listeners[1]!.facts.localPort;
  }

  /** Opens a connection that this port had accepted before; undefined if its client has left. */
  readmit(socket: Socket): Connection | undefined {
    return this.#table.readmit(socket, this.#listeners[0]!.facts);
  }

  /** The connection has become a tunnel, and stays one. */
  tunnelOpened(): void {
    this.#table.tunnelOpened();
  }

  /** It is open no longer, or not here. */
  connectionClosed(connection: Connection, wasTunnel = false): void {
    this.#table.closed(connection, wasTunnel);
  }

  /** Nothing is open but tunnels, and nothing is about to be. */
  get #quiet(): boolean {
    return this.#table.quiet && this.#listeners.every(({ arriving }) => arriving === 0);
  }

  /**
   * Stops accepting and drains what is open; so is what arrives meanwhile. Resolves when nothing is left but tunnels, at the
   * latest after `graceMs`.
   */
  async quiesce(graceMs: number): Promise<void> {
    await this.#stopAccepting();
    await new Promise<void>((resolve) => {
      const deadline = this.#clock.after(graceMs, () => done());
      const done = () => {
        leave();
        deadline.cancel();
        resolve();
      };
      const leave = this.#table.onChange(() => this.#quiet && done());
      if (this.#quiet) done();
    });
  }

  /** As `quiesce`, but resolves when no connection is left; what is left after `graceMs` is destroyed. */
  async close(graceMs: number): Promise<void> {
    await this.#stopAccepting();
    const deadline = this.#clock.after(graceMs, () => {
      for (const listener of this.#listeners) listener.destroyArriving();
      this.#table.destroyAll();
    });
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    deadline.cancel();
  }

  /** Connections are told to end when nothing is accepted any more, since their clients come anew. */
  async #stopAccepting(): Promise<void> {
    await emptyAcceptQueue(() => this.#listeners.reduce((sum, { accepted }) => sum + accepted, 0));
    for (const listener of this.#listeners) void listener.close();
    this.#draining = true;
    this.#table.drain();
  }
}
