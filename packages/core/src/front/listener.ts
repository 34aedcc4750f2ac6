import { createServer, type Server, type Socket } from "node:net";
import { normaliseAddress } from "../http/address.ts";
import { type HandshakeSettings, Handshakes, type HandshakesOptions } from "../tls/handshakes.ts";
import type { ListenerFacts } from "./listener-facts.ts";
import type { ProxiedPeers } from "./proxied-peers.ts";
import type { ProxiedPeer } from "./proxy-protocol.ts";

/** Where clients come in. */
export interface ListenerOptions {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  readonly accepted: (socket: Socket, facts: ListenerFacts) => void;
  /** One fewer is {@link Listener.arriving}. */
  readonly arrived: () => void;
  /** A connection could not be accepted. Accepting goes on. */
  readonly failed: (error: Error) => void;
  /** Reads whom a proxy has accepted off a connection of a peer for whom this says so. */
  readonly proxied?: { readonly peers: ProxiedPeers; readonly isProxy: (address: string) => boolean } | undefined;
  /** With TLS, of which this is told when a handshake comes to nothing. */
  readonly tls?: HandshakeSettings & Pick<HandshakesOptions, "failed">;
}

/** Connections the kernel may hold for us; it applies its own limit (net.core.somaxconn) on top. */
const backlog = 4_096;

/** Accepts connections on one address, and knows nothing of them afterwards. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #handshakes: Handshakes | undefined;
  #facts: ListenerFacts;
  #accepted = 0;
  /** Who they are for, or from, is still to be heard: a proxy's header, or a handshake. */
  readonly #arriving = new Set<Socket>();
  #closed: Promise<void> | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { tls } = options;
    this.#facts = { localPort: options.port, encrypted: tls !== undefined };
    this.#handshakes = tls && new Handshakes(tls);
    // Half-open, so that the two directions of a tunnel end one by one.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#accepted++;
      const { proxied } = options;
      if (proxied?.isProxy(normaliseAddress(socket.remoteAddress ?? "")) !== true) this.#admit(socket, undefined);
      else {
        this.#arrives(socket);
        proxied.peers.read(socket, (peer) => {
          this.#admit(socket, peer);
          // The encrypted socket reads for itself.
          if (tls === undefined) socket.resume();
        });
      }
    });
  }

  /** Connections that were accepted and are not told of yet; each is within the time-out of what it is to say first. */
  get arriving(): number {
    return this.#arriving.size;
  }

  /** How many connections there have been. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Also of a connection that was accepted here, was elsewhere, and has come back. */
  get facts(): ListenerFacts {
    return this.#facts;
  }

  /** Resolves with the port once it accepts; rejects with the system's error, e.g. `EADDRINUSE`. */
  listen(): Promise<number> {
    const { host, port, failed } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port, backlog }, () => {
        this.#server.off("error", reject);
        this.#server.on("error", failed);
        const address = this.#server.address();
        if (typeof address === "object" && address !== null) this.#facts = { ...this.#facts, localPort: address.port };
        resolve(this.#facts.localPort);
      });
    });
  }

  /** Accepts no more; those that are arriving may. Resolves when all that were accepted are closed. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#server.close(() => {
        this.#handshakes?.close();
        resolve();
      });
    });
    return this.#closed;
  }

  /** Gives up those that are arriving. */
  destroyArriving(): void {
    for (const socket of this.#arriving) socket.destroy();
  }

  #admit(socket: Socket, peer: ProxiedPeer | undefined): void {
    const known = peer === undefined ? this.#facts : { ...this.#facts, peer };
    if (this.#handshakes === undefined) {
      this.#options.accepted(socket, known);
      this.#hasArrived(socket);
    } else {
      this.#arrives(socket);
      this.#handshakes.begin(socket, (secure, serverName) => {
        this.#options.accepted(secure, { ...known, serverName });
        this.#hasArrived(socket);
      });
    }
  }

  #arrives(socket: Socket): void {
    if (this.#arriving.has(socket)) return;
    this.#arriving.add(socket);
    socket.once("close", () => this.#hasArrived(socket));
  }

  #hasArrived(socket: Socket): void {
    if (this.#arriving.delete(socket)) this.#options.arrived();
  }
}
