import { createServer, type Server, type Socket } from "node:net";
import { normaliseAddress } from "../http/address.ts";
import type { ListenerFacts } from "./listener-facts.ts";
import type { ProxiedPeers } from "./proxied-peers.ts";
import type { ProxiedPeer } from "./proxy-protocol.ts";
import { type HandshakeSettings, Handshakes, type HandshakesOptions } from "./tls/handshakes.ts";

/** Where clients come in. */
export interface ListenerOptions {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  readonly accepted: (socket: Socket, facts: ListenerFacts) => void;
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
  #closed: Promise<void> | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { tls } = options;
    this.#facts = { localPort: options.port, encrypted: tls !== undefined };
    this.#handshakes =
      tls &&
      new Handshakes({ ...tls, secured: (socket, known) => options.accepted(socket, { ...this.#facts, ...known }) });
    // Half-open, so that the two directions of a tunnel end one by one.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#accepted++;
      const { proxied } = options;
      if (proxied?.isProxy(normaliseAddress(socket.remoteAddress ?? "")) !== true) this.#admit(socket, undefined);
      else {
        proxied.peers.read(socket, (peer) => {
          this.#admit(socket, peer);
          // The encrypted socket reads for itself.
          if (tls === undefined) socket.resume();
        });
      }
    });
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

  /** Accepts no more. Resolves when all that were accepted are closed. */
  close(): Promise<void> {
    this.#handshakes?.close();
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()));
    return this.#closed;
  }

  #admit(socket: Socket, peer: ProxiedPeer | undefined): void {
    if (this.#handshakes !== undefined) this.#handshakes.begin(socket, peer);
    else this.#options.accepted(socket, peer === undefined ? this.#facts : { ...this.#facts, peer });
  }
}
