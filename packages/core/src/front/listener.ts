import { createServer, type Server, type Socket } from "node:net";
import { normaliseAddress } from "../http/address.ts";
import type { HandedSocket } from "../model/handed-socket.ts";
import type { HandshakeFailure } from "../model/handshake-failure.ts";
import type { ListenerAddress } from "../model/listener-address.ts";
import type { ListenPlace } from "../options/listener-settings.ts";
import { type HandshakeSettings, Handshakes } from "../tls/handshakes.ts";
import { removeAbandonedSocket } from "../unix/abandoned-socket.ts";
import { descriptorOf } from "../unix/descriptor.ts";
import { pathOfInherited } from "../unix/inherited-path.ts";
import { OwnSocket, removeSocket } from "../unix/own-socket.ts";
import type { ListenerFacts } from "./listener-facts.ts";
import type { ProxiedPeers } from "./proxied-peers.ts";
import type { ProxiedPeer } from "./proxy-protocol.ts";
import type { ChallengeHandshakes } from "./tls/challenge-handshakes.ts";
import type { HandshakeRate } from "./tls/handshake-rate.ts";

/** Where clients come in. */
export interface ListenerOptions {
  /** Which of the public listeners this is. */
  readonly number: number;
  readonly place: ListenPlace;
  /** It is open already; `accept` begins. */
  readonly handed?: HandedSocket | undefined;
  readonly accepted: (socket: Socket, facts: ListenerFacts) => void;
  /** One fewer is {@link Listener.arriving}. */
  readonly arrived: () => void;
  /** A connection could not be accepted. Accepting goes on. */
  readonly failed: (error: Error) => void;
  /** Reads whom a proxy has accepted off a connection of a peer for whom this says so. */
  readonly proxied?: { readonly peers: ProxiedPeers; readonly isProxy: (address: string) => boolean } | undefined;
  /** Who is not let in at all: closed without a word, before there is a handshake. */
  readonly denies: (address: string) => boolean;
  readonly encrypted: boolean;
  /** What handshakes are made with where it is encrypted. Default: somebody else makes them. */
  readonly tls?: HandshakeSettings | undefined;
  readonly handshakeMade: (kind: "full" | "resumed") => void;
  readonly handshakeFailed: (reason: HandshakeFailure) => void;
  /** How often clients may begin one. Default: as often as they like. */
  readonly rate?: HandshakeRate | undefined;
  /** Takes the handshakes of certificate authorities that ask for proof of a name. */
  readonly challenges?: ChallengeHandshakes | undefined;
}

/** Connections the kernel may hold for us; it applies its own limit (net.core.somaxconn) on top. */
const backlog = 4_096;

/** Accepts connections on one address, and knows nothing of them afterwards. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #ownSocket: OwnSocket | undefined;
  readonly #handshakes: Handshakes | undefined;
  #facts: ListenerFacts;
  #accepted = 0;
  /** Who they are for, or from, is still to be heard: a proxy's header, or a handshake. */
  readonly #arriving = new Set<Socket>();
  #closed: Promise<void> | undefined;
  /** Somebody else accepts from the same socket. */
  #isShared: boolean;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { number, place, handed, encrypted, tls } = options;
    this.#isShared = handed !== undefined;
    this.#ownSocket = place.kind === "unix" && handed === undefined ? new OwnSocket(place.path) : undefined;
    this.#facts = {
      listener: number,
      isUnix: false,
      localPort: 0,
      encrypted,
      isUnread: encrypted && tls === undefined,
    };
    this.#handshakes = tls && new Handshakes(tls);
    // Half-open, so that the two directions of a tunnel end one by one.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#accepted++;
      const { proxied } = options;
      const isProxy = this.#facts.isUnix || proxied?.isProxy(normaliseAddress(socket.remoteAddress ?? "")) === true;
      if (proxied === undefined || !isProxy) this.#admit(socket, undefined);
      else {
        this.#arrives(socket);
        proxied.peers.read(socket, (peer) => {
          this.#admit(socket, peer);
          // Whoever makes the handshake reads for himself.
          if (!encrypted) socket.resume();
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

  /**
   * Resolves with where it is once it accepts, or may: one that was handed over waits for {@link accept}. Rejects with the system's error,
   * e.g. `EADDRINUSE`.
   */
  async listen(): Promise<ListenerAddress> {
    const { place, handed } = this.#options;
    if (handed !== undefined) {
      const { address } = handed;
      const isTcp = address.kind === "tcp";
      this.#facts = { ...this.#facts, ...(isTcp ? { localPort: address.port } : { isUnix: true }) };
      return address;
    }
    if (place.kind === "unix") await removeAbandonedSocket(place.path);
    return this.#listening(() => {
      this.#open(place);
      return () => this.#opened(place);
    });
  }

  /** Accepts from the socket that was handed over, if it was. */
  async accept(): Promise<void> {
    const { handed } = this.#options;
    if (handed === undefined) return;
    await this.#listening(() => {
      this.#server.listen({ fd: handed.fd, backlog });
      return () => {};
    });
  }

  /** What the socket is called in this process; undefined: it is not open, or cannot be anybody else's. */
  get descriptor(): number | undefined {
    return this.#ownSocket?.canStay === false ? undefined : descriptorOf(this.#server);
  }

  /** Whether somebody else accepts from the same socket: then what waits there is his when this one closes, and it stays where it is. */
  get isShared(): boolean {
    return this.#isShared;
  }

  share(shared: boolean): void {
    this.#isShared = shared;
  }

  #listening<T>(open: () => () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let opened: () => T;
      this.#server.once("error", reject);
      this.#server.once("listening", () => {
        try {
          this.#ownSocket?.show();
        } catch (error) {
          this.#server.close();
          reject(error);
          return;
        }
        this.#server.off("error", reject);
        this.#server.on("error", this.#options.failed);
        resolve(opened());
      });
      opened = open();
    });
  }

  #open(place: ListenPlace): void {
    switch (place.kind) {
      case "tcp": {
        const { host, port, ipv6Only } = place;
        this.#server.listen({ host, port, ipv6Only, backlog });
        return;
      }
      case "unix":
        this.#ownSocket!.listen(this.#server, { mode: place.mode, backlog });
        return;
      case "fd":
        this.#server.listen({ fd: place.fd, backlog });
        return;
      default:
        place satisfies never;
    }
  }

  #opened(place: ListenPlace): ListenerAddress {
    const bound = this.#server.address();
    if (typeof bound === "object" && bound !== null) {
      this.#facts = { ...this.#facts, localPort: bound.port };
      return { kind: "tcp", host: place.kind === "tcp" ? place.host : bound.address, port: bound.port };
    }
    this.#facts = { ...this.#facts, isUnix: true };
    if (place.kind === "unix") return { kind: "unix", path: place.path };
    // Of one that was inherited Node knows nothing.
    const path = bound ?? (place.kind === "fd" ? pathOfInherited(place.fd) : undefined);
    return path === undefined ? (place as Extract<ListenPlace, { kind: "fd" }>) : { kind: "unix", path };
  }

  /** Accepts no more; those that are arriving may. Resolves when all that were accepted are closed. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      const { place } = this.#options;
      const isOpen = this.#server.listening;
      this.#server.close(() => {
        this.#handshakes?.close();
        resolve();
      });
      if (isOpen && place.kind === "unix" && !this.#isShared) removeSocket(place.path);
    });
    return this.#closed;
  }

  /** Gives up those that are arriving. */
  destroyArriving(): void {
    for (const socket of this.#arriving) socket.destroy();
  }

  #admit(socket: Socket, peer: ProxiedPeer | undefined): void {
    const known = peer === undefined ? this.#facts : { ...this.#facts, peer };
    const { challenges, rate, denies } = this.#options;
    if (denies(peer?.address ?? normaliseAddress(socket.remoteAddress ?? ""))) socket.destroy();
    else if (rate?.allows(peer?.address ?? socket.remoteAddress) === false) {
      socket.destroy();
      this.#options.handshakeFailed("rate");
    } else if (challenges?.expected !== true) this.#begin(socket, known);
    else {
      this.#arrives(socket);
      challenges.begin(socket, () => this.#begin(socket, known));
    }
  }

  #begin(socket: Socket, known: ListenerFacts): void {
    if (this.#handshakes === undefined) {
      this.#options.accepted(socket, known);
      this.#hasArrived(socket);
      return;
    }
    this.#arrives(socket);
    const { accepted, handshakeMade, handshakeFailed } = this.#options;
    this.#handshakes.begin(socket, {
      secured: (secure, told) => {
        handshakeMade(told.resumed === true ? "resumed" : "full");
        accepted(secure, { ...known, ...told });
        this.#hasArrived(socket);
      },
      failed: handshakeFailed,
    });
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
