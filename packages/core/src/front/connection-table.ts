import type { Socket } from "node:net";
import { type ForwardingFacts, normaliseAddress } from "../http/forwarding.ts";
import { type RequestIds, requestIds } from "../http/request-ids.ts";
import { type TraceContexts, traceContexts } from "../http/trace-contexts.ts";
import { descriptorOf } from "../unix/descriptor.ts";
import type { DeadlineWheel } from "./deadline-wheel.ts";
import type { ListenerFacts } from "./listener-facts.ts";
import { Refusals } from "./refusal.ts";
import type { FrontSettings } from "./settings.ts";
import type { ObservedClient, TrafficObserver } from "./traffic-observer.ts";

/** A client's connection, as far as the table is concerned. */
export interface PublicConnection extends ObservedClient {
  /** By which its requests are read. Absent: elsewhere. */
  readonly facts?: ForwardingFacts;
  destroy(): void;
  /** Ends what is under way on it for clients with such addresses, whom a proxy has named. Absent: nothing ever is. */
  cutOff?(isDenied: (address: string) => boolean): void;
  /** Ends the connection with its next answer, or when none was asked for within the grace for idle ones. */
  drain(): void;
}

export interface ConnectionTableOptions<Connection extends PublicConnection> {
  readonly settings: FrontSettings;
  readonly wheel: DeadlineWheel;
  /** Takes a connection over. */
  readonly open: (socket: Socket, facts: ForwardingFacts) => Connection;
  /** Connections of clients that are open elsewhere and count all the same. */
  readonly elsewhere?: () => number;
  /** A Cookie header's value without the cookie that is ours. */
  readonly stripCookie?: ((value: string) => string) | undefined;
  readonly observer: TrafficObserver;
}

/** `""`: who came by a Unix socket has none. Undefined: a connection that was reset before we came to it has none any more. */
function peerAddressOf(socket: Socket, { isUnix, peer }: ListenerFacts): string | undefined {
  const address = peer?.address ?? (isUnix ? "" : socket.remoteAddress);
  return address === undefined ? undefined : normaliseAddress(address);
}

/** The clients' connections that are open, wherever they came in, and the limits on how many there may be. */
export class ConnectionTable<Connection extends PublicConnection> {
  readonly #options: ConnectionTableOptions<Connection>;
  readonly #refusals: Refusals;
  #settings: FrontSettings;
  #stripCookie: ((value: string) => string) | undefined;
  readonly #connections = new Set<Connection>();
  readonly #perAddress = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #tunnels = 0;
  readonly #requestIds: RequestIds | undefined;
  readonly #traces: TraceContexts | undefined;

  constructor(options: ConnectionTableOptions<Connection>) {
    this.#options = options;
    this.#settings = options.settings;
    this.#stripCookie = options.stripCookie;
    this.#requestIds = requestIds(options.settings.requestId);
    this.#traces = traceContexts(options.settings.tracing);
    this.#refusals = new Refusals(options.wheel);
  }

  /** Connections that are open, too, go by these from now on; none is closed for a limit that is lower. */
  use(settings: FrontSettings, stripCookie: ((value: string) => string) | undefined): void {
    this.#settings = settings;
    this.#stripCookie = stripCookie;
    this.#perAddress.clear();
    for (const { facts, remoteAddress } of this.#connections) {
      this.#count(remoteAddress, 1);
      if (facts === undefined) continue;
      facts.rules = settings.headers.request;
      facts.stripCookie = stripCookie;
    }
  }

  get size(): number {
    return this.#connections.size;
  }

  /** Nothing is open but tunnels. */
  get quiet(): boolean {
    return this.#connections.size === this.#tunnels;
  }

  /** Opens a connection that was just accepted, or refuses it. */
  admit(socket: Socket, listener: ListenerFacts): void {
    const peerAddress = peerAddressOf(socket, listener);
    if (peerAddress === undefined) {
      socket.destroy();
      return;
    }
    const { elsewhere, observer } = this.#options;
    const settings = this.#settings;
    const { listener: number } = listener;
    // The event loop does not tell of connections that it cannot accept: it takes and resets them.
    if ((descriptorOf(socket) ?? 0) >= settings.maxDescriptor) {
      if (listener.isUnread) socket.destroy();
      else this.#refusals.refuseInHaste(socket, 503);
      observer.connectionRefused?.({ reason: "descriptors", limit: settings.maxDescriptor }, number);
      return;
    }
    const { maxConnections, maxConnectionsPerAddress } = settings.limits;
    if (this.#connections.size + (elsewhere?.() ?? 0) >= maxConnections) {
      this.#refuse(socket, listener, 503);
      observer.connectionRefused?.({ reason: "connections", limit: maxConnections }, number);
      return;
    }
    if ((this.#perAddress.get(peerAddress) ?? 0) >= maxConnectionsPerAddress) {
      this.#refuse(socket, listener, 429);
      observer.connectionRefused?.(
        { reason: "connections-per-address", limit: maxConnectionsPerAddress, remoteAddress: peerAddress },
        number,
      );
      return;
    }
    this.#open(socket, peerAddress, listener, false);
  }

  #refuse(socket: Socket, listener: ListenerFacts, status: 429 | 503): void {
    if (listener.isUnread) socket.destroy();
    else this.#refusals.refuse(socket, status);
  }

  /** Opens a connection that was admitted before; undefined if its client has left. */
  readmit(socket: Socket, listener: ListenerFacts): Connection | undefined {
    const peerAddress = peerAddressOf(socket, listener);
    if (peerAddress !== undefined) return this.#open(socket, peerAddress, listener, true);
    socket.destroy();
    return undefined;
  }

  /** The connection has become a tunnel, and stays one. */
  tunnelOpened(): void {
    this.#tunnels++;
    this.changed();
  }

  /** It is open no longer, or not here. */
  closed(connection: Connection, wasTunnel: boolean): void {
    if (!this.#connections.delete(connection)) return;
    if (wasTunnel) this.#tunnels--;
    this.#options.observer.connectionClosed?.(connection, wasTunnel);
    this.changed();
    this.#count(connection.remoteAddress, -1);
  }

  drain(): void {
    for (const connection of this.#connections) connection.drain();
  }

  /** Ends connections of such addresses, and of others what is under way for them. */
  cutOff(isDenied: (address: string) => boolean): void {
    for (const connection of this.#connections) {
      if (isDenied(connection.remoteAddress)) connection.destroy();
      else connection.cutOff?.(isDenied);
    }
  }

  destroyAll(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  /** Calls `change` whenever fewer connections may be open, or about to be, until the call that it returns is made. */
  onChange(change: () => void): () => void {
    this.#waiting.add(change);
    return () => this.#waiting.delete(change);
  }

  /** Fewer connections are on their way here. */
  changed(): void {
    for (const change of this.#waiting) change();
  }

  #open(socket: Socket, peerAddress: string, facts: ListenerFacts, returned: boolean): Connection {
    const { open, observer } = this.#options;
    const settings = this.#settings;
    const { listener, localPort, encrypted, peer, tls, serverName, clientFields } = facts;
    const connection = open(socket, {
      listener,
      peerAddress,
      peerPort: peer?.port,
      // Who may connect to a Unix socket is said by its mode.
      peerTrusted: peerAddress === "" || settings.trustsPeer(peerAddress),
      encrypted,
      tls,
      serverName,
      clientFields,
      localPort,
      rules: settings.headers.request,
      requestIds: this.#requestIds,
      traces: this.#traces,
      stripCookie: this.#stripCookie,
    });
    this.#connections.add(connection);
    this.#count(peerAddress, 1);
    observer.connectionOpened?.(connection, returned);
    return connection;
  }

  /** By address only where there is a limit by it, and an address. */
  #count(address: string, change: 1 | -1): void {
    if (address === "") return;
    if (this.#settings.limits.maxConnectionsPerAddress === Number.POSITIVE_INFINITY) return;
    const open = (this.#perAddress.get(address) ?? 0) + change;
    if (open === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, open);
  }
}
