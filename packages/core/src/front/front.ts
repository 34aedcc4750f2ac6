import { createServer, type Server, type Socket } from "node:net";
import type { Balancer } from "../balancer/balancer.ts";
import type { Routing } from "../balancer/routing.ts";
import { normaliseAddress } from "../http/forwarding.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Client } from "./client.ts";
import { ClientConnection } from "./client-connection.ts";
import type { Backend, FrontContext } from "./context.ts";
import { DeadlineWheel } from "./deadline-wheel.ts";
import { Refusals } from "./refusal.ts";
import type { FrontSettings } from "./settings.ts";

export interface FrontOptions {
  readonly settings: FrontSettings;
  readonly balancer: Balancer;
  readonly routing?: Routing | undefined;
  readonly clock: Clock;
  /** The way to an endpoint that joins; closed by the front when the endpoint leaves. */
  readonly backend: (endpoint: Endpoint) => Backend;
  /** Connections could not be accepted, e.g. for want of file descriptors (`EMFILE`). Accepting goes on. */
  readonly acceptFailed: (error: Error) => void;
}

/** Connections the kernel may hold for us; it applies its own limit (net.core.somaxconn) on top. */
const backlog = 4_096;

/** The public port: takes connections in and has each request answered by an endpoint of the roster. */
export class Front implements FrontContext {
  readonly settings: FrontSettings;
  readonly balancer: Balancer;
  readonly routing: Routing | undefined;
  readonly clock: Clock;
  readonly wheel: DeadlineWheel;
  readonly backends: Map<Endpoint, Backend> = new Map();
  draining = false;
  readonly #backend: (endpoint: Endpoint) => Backend;
  readonly #acceptFailed: (error: Error) => void;
  readonly #server: Server;
  /** The public port, which is that of every connection; asking each socket would take a system call. */
  #port: number;
  readonly #refusals: Refusals;
  readonly #connections: Set<Client> = new Set();
  readonly #perAddress: Map<string, number> = new Map();

  constructor({ settings, balancer, routing, clock, backend, acceptFailed }: FrontOptions) {
    this.settings = settings;
    this.#port = settings.port;
    this.balancer = balancer;
    this.routing = routing;
    this.clock = clock;
    this.wheel = new DeadlineWheel(clock);
    this.#refusals = new Refusals(this.wheel);
    this.#backend = backend;
    this.#acceptFailed = acceptFailed;
    // Half-open, so that the two directions of a tunnel end one by one.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Open client connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Resolves with the port once it accepts; rejects with the system's error, e.g. `EADDRINUSE`. */
  listen(): Promise<number> {
    const { host, port } = this.settings;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port, backlog }, () => {
        this.#server.off("error", reject);
        this.#server.on("error", this.#acceptFailed);
        const address = this.#server.address();
        if (typeof address === "object" && address !== null) this.#port = address.port;
        resolve(this.#port);
      });
    });
  }

  /** Follows the roster: opens the way to endpoints that joined, closes it to those that left. */
  update(endpoints: readonly Endpoint[]): void {
    for (const endpoint of endpoints) {
      if (!this.backends.has(endpoint)) this.backends.set(endpoint, this.#backend(endpoint));
    }
    const current = new Set(endpoints);
    for (const [endpoint, { transport }] of this.backends) {
      if (current.has(endpoint)) continue;
      this.backends.delete(endpoint);
      transport.close();
    }
  }

  /**
   * Stops accepting, ends idle connections at once and the others with their answer, tunnels at the deadline. Resolves
   * when no connection is left, at the latest after `graceMs`.
   */
  async close(graceMs: number): Promise<void> {
    this.draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.drain();
    const deadline = this.clock.after(graceMs, () => {
      for (const connection of this.#connections) connection.destroy();
    });
    await closed;
    deadline.cancel();
    this.wheel.stop();
    for (const { transport } of this.backends.values()) transport.close();
    this.backends.clear();
  }

  connectionClosed(connection: Client): void {
    this.#connections.delete(connection);
    if (this.settings.maxConnectionsPerAddress === Number.POSITIVE_INFINITY) return;
    const left = (this.#perAddress.get(connection.remoteAddress) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(connection.remoteAddress);
    else this.#perAddress.set(connection.remoteAddress, left);
  }

  #accept(socket: Socket): void {
    // A connection reset before we came to it has no address any more.
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const { maxConnections, maxConnectionsPerAddress, trustsPeer } = this.settings;
    const peerAddress = normaliseAddress(socket.remoteAddress);
    if (this.#connections.size >= maxConnections) {
      this.#refusals.refuse(socket, 503);
      return;
    }
    if (maxConnectionsPerAddress !== Number.POSITIVE_INFINITY) {
      const open = this.#perAddress.get(peerAddress) ?? 0;
      if (open >= maxConnectionsPerAddress) {
        this.#refusals.refuse(socket, 429);
        return;
      }
      this.#perAddress.set(peerAddress, open + 1);
    }
    const facts = {
      peerAddress,
      peerTrusted: trustsPeer(peerAddress),
      encrypted: false,
      localPort: this.#port,
      stripCookie: this.routing?.affinity.stripCookie,
    };
    this.#connections.add(new ClientConnection(socket, facts, this));
  }
}
