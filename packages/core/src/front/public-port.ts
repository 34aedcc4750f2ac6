import { createServer, type Server, type Socket } from "node:net";
import { type ForwardingFacts, normaliseAddress } from "../http/forwarding.ts";
import { emptyAcceptQueue } from "../model/accept-queue.ts";
import type { Clock } from "../model/clock.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import { Refusals } from "./refusal.ts";
import type { FrontSettings } from "./settings.ts";
import type { ObservedClient, TrafficObserver } from "./traffic-observer.ts";

/** A client's connection, as far as the port that took it in is concerned. */
export interface PublicConnection extends ObservedClient {
  destroy(): void;
  /** Ends the connection with its next answer, or when none was asked for within the grace for idle ones. */
  drain(): void;
}

export interface PublicPortOptions<Connection extends PublicConnection> {
  readonly settings: FrontSettings;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  /** Takes a connection over. */
  readonly open: (socket: Socket, facts: ForwardingFacts) => Connection;
  /** Connections of clients that are open elsewhere and count all the same. */
  readonly elsewhere?: () => number;
  /** A Cookie header's value without the cookie that is ours. */
  readonly stripCookie?: ((value: string) => string) | undefined;
  readonly observer: TrafficObserver;
}

/** By a property that is not documented; there is none on Windows, which has no such limit. */
function descriptorOf(socket: Socket): number | undefined {
  return (socket as Socket & { readonly _handle?: { readonly fd?: number } | null })._handle?.fd;
}

/** Connections the kernel may hold for us; it applies its own limit (net.core.somaxconn) on top. */
const backlog = 4_096;

/** The public port: takes connections in, within the limits, and knows those that are open. */
export class PublicPort<Connection extends PublicConnection> {
  readonly server: Server;
  readonly #options: PublicPortOptions<Connection>;
  readonly #refusals: Refusals;
  readonly #connections = new Set<Connection>();
  readonly #perAddress = new Map<string, number>();
  #accepted = 0;
  #tunnels = 0;
  #draining = false;
  #quiet: (() => void) | undefined;
  #closed: Promise<void> | undefined;
  /** The public port, which is that of every connection; asking each socket would take a system call. */
  #port: number;

  constructor(options: PublicPortOptions<Connection>) {
    this.#options = options;
    this.#port = options.settings.port;
    this.#refusals = new Refusals(options.wheel);
    // Half-open, so that the two directions of a tunnel end one by one.
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Nothing is accepted any more, and no connection stays open for long. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Resolves with the port once it accepts; rejects with the system's error, e.g. `EADDRINUSE`. */
  listen(): Promise<number> {
    const { settings, observer } = this.#options;
    const { host, port } = settings;
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen({ host, port, backlog }, () => {
        this.server.off("error", reject);
        this.server.on("error", (error) => observer.acceptFailed?.(error));
        const address = this.server.address();
        if (typeof address === "object" && address !== null) this.#port = address.port;
        resolve(this.#port);
      });
    });
  }

  /** Opens a connection that this port had accepted before; undefined if its client has left. */
  readmit(socket: Socket): Connection | undefined {
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return undefined;
    }
    return this.#open(socket, normaliseAddress(socket.remoteAddress));
  }

  /** The connection has become a tunnel, and stays one. */
  tunnelOpened(): void {
    this.#tunnels++;
    this.#tellQuiet();
  }

  /** It is open no longer, or not here. */
  connectionClosed(connection: Connection, wasTunnel = false): void {
    if (!this.#connections.delete(connection)) return;
    if (wasTunnel) this.#tunnels--;
    this.#options.observer.connectionClosed?.(connection, wasTunnel);
    this.#tellQuiet();
    if (this.#options.settings.maxConnectionsPerAddress === Number.POSITIVE_INFINITY) return;
    const left = (this.#perAddress.get(connection.remoteAddress) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(connection.remoteAddress);
    else this.#perAddress.set(connection.remoteAddress, left);
  }

  /** Stops accepting and drains what is open. Resolves when nothing is left but tunnels, at the latest after `graceMs`. */
  async quiesce(graceMs: number): Promise<void> {
    await this.#stopAccepting();
    if (this.#connections.size === this.#tunnels) return;
    await new Promise<void>((resolve) => {
      const deadline = this.#options.clock.after(graceMs, resolve);
      this.#quiet = () => {
        deadline.cancel();
        resolve();
      };
    });
    this.#quiet = undefined;
  }

  /** As `quiesce`, but resolves when no connection is left; what is left after `graceMs` is destroyed. */
  async close(graceMs: number): Promise<void> {
    await this.#stopAccepting();
    const deadline = this.#options.clock.after(graceMs, () => {
      for (const connection of this.#connections) connection.destroy();
    });
    await this.#closed;
    deadline.cancel();
  }

  /**
   * Connections are told to end when nothing is accepted any more, since their clients come anew.
   */
  async #stopAccepting(): Promise<void> {
    await emptyAcceptQueue(() => this.#accepted, this.#options.clock);
    this.#closed ??= new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.#draining = true;
    for (const connection of this.#connections) connection.drain();
  }

  #tellQuiet(): void {
    if (this.#connections.size === this.#tunnels) this.#quiet?.();
  }

  #accept(socket: Socket): void {
    this.#accepted++;
    // A connection reset before we came to it has no address any more.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const { settings, elsewhere, observer } = this.#options;
    // The event loop does not tell of connections that it cannot accept: it takes and resets them.
    if ((descriptorOf(socket) ?? 0) >= settings.maxDescriptor) {
      this.#refusals.refuseInHaste(socket, 503);
      observer.connectionRefused?.({ reason: "descriptors", limit: settings.maxDescriptor });
      return;
    }
    const { maxConnections, maxConnectionsPerAddress } = settings;
    const peerAddress = normaliseAddress(socket.remoteAddress);
    if (this.#connections.size + (elsewhere?.() ?? 0) >= maxConnections) {
      this.#refusals.refuse(socket, 503);
      observer.connectionRefused?.({ reason: "connections", limit: maxConnections });
      return;
    }
    if (maxConnectionsPerAddress !== Number.POSITIVE_INFINITY) {
      const open = this.#perAddress.get(peerAddress) ?? 0;
      if (open >= maxConnectionsPerAddress) {
        this.#refusals.refuse(socket, 429);
        observer.connectionRefused?.({
          reason: "connections-per-address",
          limit: maxConnectionsPerAddress,
          remoteAddress: peerAddress,
        });
        return;
      }
      this.#perAddress.set(peerAddress, open + 1);
    }
    this.#open(socket, peerAddress);
  }

  #open(socket: Socket, peerAddress: string): Connection {
    const { settings, open, stripCookie, observer } = this.#options;
    const facts = {
      peerAddress,
      peerTrusted: settings.trustsPeer(peerAddress),
      encrypted: false,
      localPort: this.#port,
      stripCookie,
    };
    const connection = open(socket, facts);
    this.#connections.add(connection);
    observer.connectionOpened?.(connection);
    return connection;
  }
}
