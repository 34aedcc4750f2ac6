import type { Socket } from "node:net";
import { emptyAcceptQueue } from "../model/accept-queue.ts";
import type { Clock } from "../model/clock.ts";
import type { ListenerAddress } from "../model/listener-address.ts";
import { handshakeSettings } from "../tls/handshakes.ts";
import { ConnectionTable, type ConnectionTableOptions, type PublicConnection } from "./connection-table.ts";
import type { DenyList } from "./deny-list.ts";
import { Listener, type ListenerOptions } from "./listener.ts";
import { ProxiedPeers } from "./proxied-peers.ts";
import type { ProxiedPeer } from "./proxy-protocol.ts";
import type { FrontSettings } from "./settings.ts";
import type { CertificateStore } from "./tls/certificate-store.ts";
import type { ChallengeBook } from "./tls/challenge-book.ts";
import { ChallengeHandshakes } from "./tls/challenge-handshakes.ts";
import { HandshakeRate } from "./tls/handshake-rate.ts";

export interface PublicPortOptions<Connection extends PublicConnection> extends ConnectionTableOptions<Connection> {
  readonly clock: Clock;
  /** Default: everybody may come. */
  readonly denyList?: DenyList | undefined;
  /** For listeners with TLS, if the settings have any, and handshakes are made here. */
  readonly certificates?: CertificateStore | undefined;
  /** What certificate authorities may be asking for there. */
  readonly challenges?: ChallengeBook | undefined;
}

/** The public listeners, the table of their connections, and how both end. */
export class PublicPort<Connection extends PublicConnection> {
  readonly #clock: Clock;
  readonly #table: ConnectionTable<Connection>;
  readonly #listeners: readonly Listener[];
  #draining = false;

  constructor(options: PublicPortOptions<Connection>) {
    const { settings, observer, clock, wheel, certificates, denyList } = options;
    this.#clock = clock;
    this.#table = new ConnectionTable(options);
    const peers = new ProxiedPeers({ wheel, timeoutMs: settings.timeouts.headersMs });
    // For all of them together.
    const rate = handshakeRateOf(options);
    this.#listeners = settings.listeners.map(
      ({ place, handed, encrypted, proxied }, number) =>
        new Listener({
          number,
          place,
          handed,
          accepted: (socket, facts) => this.#table.admit(socket, facts),
          arrived: () => this.#table.changed(),
          failed: (error) => observer.acceptFailed?.(error),
          proxied: proxied ? { peers, isProxy: settings.trustsPeer } : undefined,
          denies: (address) => {
            const denied = denyList?.find(address) !== undefined;
            if (denied) observer.connectionDenied?.(address, number);
            return denied;
          },
          handshakeMade: (kind) => observer.handshakesMade?.(kind, 1, number),
          handshakeFailed: (reason) => observer.handshakeFailed?.(reason, 1, number),
          encrypted,
          ...(encrypted && certificates !== undefined && { tls: handshakesOf(settings, certificates) }),
          ...(encrypted && { rate, challenges: challengesOf(options) }),
        }),
    );
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
   * Resolves with where they are once they accept, in the order of the settings; rejects with the system's error, e.g.
   * `EADDRINUSE`, that has the number of its listener as `listener`.
   */
  async listen(): Promise<readonly ListenerAddress[]> {
    const addresses: ListenerAddress[] = [];
    for (const [number, listener] of this.#listeners.entries()) {
      try {
        addresses.push(await listener.listen());
      } catch (error) {
        throw Object.assign(error as Error, { listener: number });
      }
    }
    return addresses;
  }

  /** Accepts from those that were handed over. */
  async accept(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.accept()));
  }

  /** Of each listener, as {@link Listener.descriptor}. */
  get descriptors(): readonly (number | undefined)[] {
    return this.#listeners.map(({ descriptor }) => descriptor);
  }

  /** See {@link Listener.isShared}. */
  share(shared: boolean): void {
    for (const listener of this.#listeners) listener.share(shared);
  }

  /** Where clients find one with TLS; 443 if none is on a port of TCP. */
  get httpsPort(): number {
    const found = this.#listeners.find(({ facts }) => facts.encrypted && !facts.isUnix);
    return found?.facts.localPort ?? 443;
  }

  /**
   * Opens a connection that was accepted before by that listener, `peer` being whom a proxy named as its client. Undefined: its
   * client has left, or there is no such listener.
   */
  readmit(socket: Socket, number: number, peer?: ProxiedPeer): Connection | undefined {
    const facts = this.#listeners[number]?.facts;
    if (facts !== undefined) return this.#table.readmit(socket, peer === undefined ? facts : { ...facts, peer });
    socket.destroy();
    return undefined;
  }

  /** See {@link ConnectionTable.use}. */
  use(settings: FrontSettings, stripCookie: ((value: string) => string) | undefined): void {
    this.#table.use(settings, stripCookie);
  }

  /** The connection has become a tunnel, and stays one. */
  tunnelOpened(): void {
    this.#table.tunnelOpened();
  }

  /** It is open no longer, or not here. */
  connectionClosed(connection: Connection, wasTunnel = false): void {
    this.#table.closed(connection, wasTunnel);
  }

  /** See {@link ConnectionTable.cutOff}. */
  cutOff(isDenied: (address: string) => boolean): void {
    this.#table.cutOff(isDenied);
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
    const alone = this.#listeners.filter(({ isShared }) => !isShared);
    if (alone.length > 0) await emptyAcceptQueue(() => alone.reduce((sum, { accepted }) => sum + accepted, 0));
    for (const listener of this.#listeners) void listener.close();
    this.#draining = true;
    this.#table.drain();
  }
}

function handshakesOf(
  { https, http2 }: FrontSettings,
  certificates: CertificateStore,
): NonNullable<ListenerOptions["tls"]> {
  if (https === false) throw new TypeError("A listener with TLS has no settings");
  const protocols = http2 === false ? (["http/1.1"] as const) : (["h2", "http/1.1"] as const);
  return { certificates, ...handshakeSettings(https, protocols) };
}

function challengesOf({
  settings: { https },
  challenges: book,
  clock,
}: Pick<PublicPortOptions<PublicConnection>, "settings" | "challenges" | "clock">): ChallengeHandshakes | undefined {
  if (https === false || book === undefined) return undefined;
  const { handshakeTimeoutMs, maxHandshakes } = https;
  return new ChallengeHandshakes({ book, clock, timeoutMs: handshakeTimeoutMs, most: maxHandshakes });
}

function handshakeRateOf({
  settings: { https, trustsPeer },
  clock,
}: Pick<PublicPortOptions<PublicConnection>, "settings" | "clock">): HandshakeRate | undefined {
  if (https === false || https.handshakeRate === false) return undefined;
  return new HandshakeRate({ settings: https.handshakeRate, isProxy: trustsPeer, clock });
}
