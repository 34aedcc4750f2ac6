import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { errorResponse } from "../http/error-response.ts";
import { systemWallClock } from "../model/clock.ts";
import type { HandshakeFailure } from "../model/handshake-failure.ts";
import type { NegotiatedTls } from "../model/negotiated-tls.ts";
import type { HttpsSettings } from "../options/https-options.ts";
import type { CertificateSource } from "./certificates.ts";
import { clientCertificateFields } from "./client-certificate.ts";
import { rawSocketOf } from "./reset.ts";

/** How handshakes are made, but for what they are made with; plain data. */
export interface HandshakeLimits {
  /** From the connection to the end of the handshake. */
  readonly handshakeTimeoutMs: number;
  /** At the same time; one more is closed. Each costs this process half a millisecond and more. */
  readonly maxHandshakes: number;
  /** Whether clients are asked for certificates, and whether they may go without. */
  readonly clientCertificates: "none" | "optional" | "required";
  /** What we speak behind it, best first. A client that offers others and none of these gets `no_application_protocol`. */
  readonly protocols: readonly ("h2" | "http/1.1")[];
}

export interface HandshakeSettings extends HandshakeLimits {
  readonly certificates: CertificateSource;
}

/** Takes the encrypted connection. */
export interface HandshakeUser {
  secured(socket: TLSSocket, facts: HandshakeFacts): void;
  /** It came to nothing, and its connection is closed or about to be. */
  failed(reason: HandshakeFailure): void;
}

/** What a handshake told of the client. */
export interface HandshakeFacts {
  /** It went on with an earlier session. Absent: it did not, or there was no handshake here. */
  readonly resumed?: boolean;
  /** Absent: no handshake here. */
  readonly tls?: NegotiatedTls | undefined;
  /** The host that it named, if it did. */
  readonly serverName?: string | undefined;
  /**
   * What the app is to be told of its certificate (name, value, name, value …), which is nothing if it has none that is good.
   * Absent: clients are not asked for any.
   */
  readonly clientFields?: readonly string[] | undefined;
}

export function handshakeSettings(https: HttpsSettings, protocols: HandshakeLimits["protocols"]): HandshakeLimits {
  const { handshakeTimeoutMs, maxHandshakes, clientCertificates: asked } = https;
  const clientCertificates = asked === false ? "none" : asked.require ? "required" : "optional";
  return { handshakeTimeoutMs, maxHandshakes, clientCertificates, protocols };
}

/** From an answer in place of a handshake to the end of its connection. */
const lingerMs = 2_000;

/** Makes encrypted connections of those that were accepted. */
export class Handshakes {
  readonly #options: HandshakeSettings;
  readonly #server: Server;
  /** Whose handshake is under way. */
  readonly #pending = new Set<Socket>();
  /** Whose they are, or were: that one failed is told after its connection has closed, too. */
  readonly #users = new WeakMap<Socket, HandshakeUser>();
  readonly #forgetSource: () => void;

  constructor(options: HandshakeSettings) {
    const { certificates, handshakeTimeoutMs, clientCertificates, protocols } = options;
    this.#options = options;
    // It never listens.
    const server = createServer({
      ...certificates.current.first,
      ALPNProtocols: [...protocols],
      requestCert: clientCertificates !== "none",
      rejectUnauthorized: clientCertificates === "required",
      handshakeTimeout: handshakeTimeoutMs,
      SNICallback: (name, found) => {
        const asked = certificates.current.given(name);
        // Node closes the connection then, without an alert.
        if (asked === undefined) found(new Error(`No certificate is for ${name.slice(0, 255)}`));
        else found(null, asked === "first" ? undefined : asked);
      },
    });
    certificates.current.lead(server);
    this.#server = server;
    this.#forgetSource = certificates.onRenewal((renewed) => renewed.lead(server));
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#failed(error, socket));
  }

  /** How many are under way. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Tells `user` of the encrypted connection, or that there will be none. */
  begin(raw: Socket, user: HandshakeUser): void {
    if (this.#pending.size >= this.#options.maxHandshakes) {
      raw.destroy();
      user.failed("crowded");
      return;
    }
    this.#pending.add(raw);
    this.#users.set(raw, user);
    // Who leaves in the middle of a handshake has left; the encrypted socket takes this over.
    raw.allowHalfOpen = false;
    // The close that follows says all there is to do.
    raw.on("error", () => {});
    raw.once("close", () => this.#pending.delete(raw));
    this.#server.emit("connection", raw);
  }

  /** Gives up those that are under way. */
  destroyPending(): void {
    for (const raw of this.#pending) raw.destroy();
  }

  /** Follows renewals no longer. What is under way ends as it would. */
  close(): void {
    this.#forgetSource();
  }

  #secured(socket: TLSSocket): void {
    const raw = rawSocketOf(socket)!;
    this.#pending.delete(raw);
    const user = this.#users.get(raw)!;
    socket.allowHalfOpen = true;
    const { servername } = socket as { readonly servername?: string | false | null };
    const tls = { version: socket.getProtocol() ?? "TLS", cipher: socket.getCipher()?.name ?? "" };
    const facts = { tls, serverName: servername || undefined, resumed: socket.isSessionReused() };
    const { clientCertificates } = this.#options;
    if (clientCertificates === "none") {
      user.secured(socket, facts);
      return;
    }
    const clientFields = clientCertificateFields(socket, systemWallClock());
    if (clientFields.length > 0 || clientCertificates === "optional") user.secured(socket, { ...facts, clientFields });
    else {
      socket.destroy();
      user.failed("client-certificate");
    }
  }

  #failed(error: Error & { readonly code?: string }, socket: TLSSocket): void {
    const raw = rawSocketOf(socket);
    const user = raw && this.#users.get(raw);
    switch (error.code) {
      case "ERR_TLS_HANDSHAKE_TIMEOUT":
        raw?.destroy();
        user?.failed("timeout");
        return;
      case "ERR_SSL_HTTP_REQUEST":
        if (raw !== undefined) answerAndLinger(raw);
        user?.failed("plain-http");
        return;
      case "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE":
        raw?.destroySoon();
        user?.failed("client-certificate");
        return;
      default:
        // The alert is on its way.
        raw?.destroySoon();
        // Of a certificate that is not good Node says no more than that.
        user?.failed(socket.authorizationError ? "client-certificate" : "refused");
    }
  }
}

/** In the clear, as it was asked. A client that does not close in time is closed. */
function answerAndLinger(raw: Socket): void {
  raw.end(errorResponse(400));
  raw.setTimeout(lingerMs, () => raw.destroy());
}
