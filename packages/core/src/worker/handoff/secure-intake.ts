import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { ConnectionOrigin, HandshakeReport } from "../../ipc/handoff-messages.ts";
import { Listeners } from "../../model/listeners.ts";
import { type CertificateSource, Certificates } from "../../tls/certificates.ts";
import { type HandshakeFacts, type HandshakeLimits, Handshakes } from "../../tls/handshakes.ts";
import { reset } from "../../tls/reset.ts";
import type { TlsMaterial } from "../../tls/tls-material.ts";
import { contained } from "../agent-faults.ts";

export interface SecureIntakeOptions {
  /** The connection's handshake is over. */
  readonly secured: (socket: TLSSocket, facts: HandshakeFacts, origin: ConnectionOrigin | undefined) => void;
  /** More handshakes, or fewer, are under way, or more have failed. */
  readonly changed: () => void;
}

/** What the primary tells: what to make handshakes with, and how. */
interface Equipment {
  readonly material: TlsMaterial;
  readonly limits: HandshakeLimits;
}

/** Makes the handshakes of connections that the primary has handed over unread, with what it was told to make them with. */
export class SecureIntake implements CertificateSource {
  readonly #options: SecureIntakeOptions;
  readonly #renewed = new Listeners<Certificates>();
  #current: Certificates | undefined;
  #handshakes: Handshakes | undefined;
  /** By listener. */
  #made = new Map<number, Partial<Record<keyof HandshakeReport, number>>>();

  constructor(options: SecureIntakeOptions) {
    this.#options = options;
  }

  /** Handshakes that begin from now on are made with this; connections that stand go on. */
  equip(told: object): void {
    const { material, limits } = told as Equipment;
    this.#current = new Certificates(material);
    if (this.#handshakes !== undefined) this.#renewed.emit([this.#current]);
    else this.#handshakes = new Handshakes({ ...limits, certificates: this });
  }

  get current(): Certificates {
    return this.#current!;
  }

  onRenewal(renewed: (certificates: Certificates) => void): () => void {
    return this.#renewed.add(renewed);
  }

  /** How many handshakes are under way. */
  get pending(): number {
    return this.#handshakes?.pending ?? 0;
  }

  /** What has become of them since this was last asked, by listener. */
  takeMade(): ReadonlyMap<number, HandshakeReport> {
    const made = this.#made;
    if (made.size > 0) this.#made = new Map();
    return made;
  }

  /** `bytes` were read of it. */
  take(socket: Socket, bytes: Buffer, origin: ConnectionOrigin | undefined): void {
    const { secured, changed } = this.#options;
    if (this.#handshakes === undefined) {
      socket.destroy();
      return;
    }
    if (bytes.length > 0) socket.unshift(bytes);
    socket.once("close", changed);
    const given = contained(
      "an encrypted connection",
      (secure: TLSSocket, facts: HandshakeFacts) => {
        // Node's own throws: it has no handle of TCP.
        secure.resetAndDestroy = () => {
          reset(secure);
          return secure;
        };
        this.#note(facts.resumed === true ? "resumed" : "full", origin);
        secured(secure, facts, origin);
        changed();
      },
      (secure) => secure.destroy(),
    );
    this.#handshakes.begin(socket, { secured: given, failed: (reason) => this.#note(reason, origin) });
    changed();
  }

  /** Whether the host has the certificate of the name that a client has asked for. */
  isFor(serverName: string, host: string): boolean {
    return this.#current?.areOne(serverName, host) !== false;
  }

  destroyPending(): void {
    this.#handshakes?.destroyPending();
  }

  #note(kind: keyof HandshakeReport, origin: ConnectionOrigin | undefined): void {
    const listener = origin?.listener ?? 0;
    const made = this.#made.get(listener) ?? {};
    made[kind] = (made[kind] ?? 0) + 1;
    this.#made.set(listener, made);
    this.#options.changed();
  }
}
