import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { errorResponse } from "../http/error-response.ts";
import type { CertificateSource } from "./certificates.ts";
import { rawSocketOf } from "./reset.ts";

export interface HandshakeSettings {
  readonly certificates: CertificateSource;
  /** A client that asks for a name that no certificate is for is turned away, instead of getting the first one. */
  readonly strictSni: boolean;
  /** From the connection to the end of the handshake. */
  readonly handshakeTimeoutMs: number;
  /** At the same time; one more is closed. Each costs this process half a millisecond and more. */
  readonly maxHandshakes: number;
}

export interface HandshakesOptions extends HandshakeSettings {
  readonly failed: (reason: HandshakeFailure) => void;
}

/** Takes the encrypted connection. `serverName`: the host that the client named in its handshake, if it did. */
export type Secured = (socket: TLSSocket, serverName: string | undefined) => void;

/**
 * - `timeout`: it took too long, or never began;
 * - `plain-http`: a request came in the place of a handshake;
 * - `crowded`: as many were under way as may be;
 * - `refused`: the two did not agree, or the client went.
 */
export type HandshakeFailure = "timeout" | "plain-http" | "crowded" | "refused";

/** What we speak behind it. A client that offers other protocols and not this one gets `no_application_protocol`. */
const protocols = ["http/1.1"];

/** From an answer in place of a handshake to the end of its connection. */
const lingerMs = 2_000;

/** Makes encrypted connections of those that were accepted. */
export class Handshakes {
  readonly #options: HandshakesOptions;
  readonly #server: Server;
  /** Whose handshake is under way. */
  readonly #pending = new Map<Socket, Secured>();
  readonly #forgetSource: () => void;

  constructor(options: HandshakesOptions) {
    const { certificates, strictSni, handshakeTimeoutMs } = options;
    this.#options = options;
    // It never listens.
    const server = createServer({
      ...certificates.current.first,
      ALPNProtocols: protocols,
      handshakeTimeout: handshakeTimeoutMs,
      SNICallback: (name, found) => {
        const asked = certificates.current.askedFor(name);
        // Node closes the connection then, without an alert.
        if (asked === undefined && strictSni) found(new Error(`No certificate is for ${name.slice(0, 255)}`));
        else found(null, asked === "first" ? undefined : asked);
      },
    });
    certificates.current.lead(server);
    this.#server = server;
    this.#forgetSource = certificates.onRenewal((renewed) => renewed.lead(server));
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#failed(error, rawSocketOf(socket)));
  }

  /** Calls `secured`, or closes the connection; then `raw` is closed. */
  begin(raw: Socket, secured: Secured): void {
    if (this.#pending.size >= this.#options.maxHandshakes) {
      raw.destroy();
      this.#options.failed("crowded");
      return;
    }
    this.#pending.set(raw, secured);
    // Who leaves in the middle of a handshake has left; the encrypted socket takes this over.
    raw.allowHalfOpen = false;
    // The close that follows says all there is to do.
    raw.on("error", () => {});
    raw.once("close", () => this.#pending.delete(raw));
    this.#server.emit("connection", raw);
  }

  /** Follows renewals no longer. What is under way ends as it would. */
  close(): void {
    this.#forgetSource();
  }

  #secured(socket: TLSSocket): void {
    const raw = rawSocketOf(socket)!;
    const secured = this.#pending.get(raw);
    this.#pending.delete(raw);
    socket.allowHalfOpen = true;
    const { servername } = socket as { readonly servername?: string | false | null };
    secured?.(socket, servername || undefined);
  }

  #failed(error: Error & { readonly code?: string }, raw: Socket | undefined): void {
    const { failed } = this.#options;
    switch (error.code) {
      case "ERR_TLS_HANDSHAKE_TIMEOUT":
        raw?.destroy();
        failed("timeout");
        return;
      case "ERR_SSL_HTTP_REQUEST":
        if (raw !== undefined) answerAndLinger(raw);
        failed("plain-http");
        return;
      default:
        // The alert is on its way.
        raw?.destroySoon();
        failed("refused");
    }
  }
}

/** In the clear, as it was asked. A client that does not close in time is closed. */
function answerAndLinger(raw: Socket): void {
  raw.end(errorResponse(400));
  raw.setTimeout(lingerMs, () => raw.destroy());
}
