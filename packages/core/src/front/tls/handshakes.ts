import type { Socket } from "node:net";
import { createServer, type Server, TLSSocket } from "node:tls";
import { errorResponse } from "../../http/error-response.ts";
import type { ListenerFacts } from "../listener-facts.ts";
import type { ProxiedPeer } from "../proxy-protocol.ts";
import type { CertificateStore } from "./certificate-store.ts";

export interface HandshakeSettings {
  readonly certificates: CertificateStore;
  /** A client that asks for a name that no certificate is for is turned away, instead of getting the first one. */
  readonly strictSni: boolean;
  /** From the connection to the end of the handshake. */
  readonly handshakeTimeoutMs: number;
  /** At the same time; one more is closed. Each costs this process half a millisecond and more. */
  readonly maxHandshakes: number;
}

export interface HandshakesOptions extends HandshakeSettings {
  readonly secured: (socket: TLSSocket, known: Pick<ListenerFacts, "peer" | "serverName">) => void;
  readonly failed: (reason: HandshakeFailure) => void;
}

/**
 * - `timeout`: it took too long, or never began;
 * - `plain-http`: a request came in the place of a handshake;
 * - `crowded`: as many were under way as may be;
 * - `refused`: the two did not agree, or the client went.
 */
export type HandshakeFailure = "timeout" | "plain-http" | "crowded" | "refused";

/** What we speak behind it. A client that offers other protocols and not this one gets `no_application_protocol`. */
const protocols = ["http/1.1"];

/** Makes encrypted connections of those that were accepted. */
export class Handshakes {
  readonly #options: HandshakesOptions;
  readonly #server: Server;
  /** Whose handshake is under way. */
  readonly #pending = new Map<Socket, ProxiedPeer | undefined>();
  readonly #forgetStore: () => void;

  constructor(options: HandshakesOptions) {
    const { certificates, strictSni, handshakeTimeoutMs, secured } = options;
    this.#options = options;
    // It never listens. Tickets are sealed with keys of its own, whichever certificate the session began with.
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
    this.#server = server;
    this.#forgetStore = certificates.onRenewal(({ first }) => {
      const keys = server.getTicketKeys();
      server.setSecureContext(first);
      // It forgets them, and with them the sessions of all clients.
      server.setTicketKeys(keys);
    });
    this.#server.on("secureConnection", (socket) => {
      const raw = rawSocketOf(socket)!;
      const peer = this.#pending.get(raw);
      this.#pending.delete(raw);
      socket.allowHalfOpen = true;
      const { servername } = socket as { readonly servername?: string | false | null };
      secured(socket, { peer, serverName: servername || undefined });
    });
    this.#server.on("tlsClientError", (error, socket) => this.#failed(error, rawSocketOf(socket)));
  }

  /** `peer`: whom a proxy of ours has accepted, if that is known. */
  begin(raw: Socket, peer?: ProxiedPeer): void {
    if (this.#pending.size >= this.#options.maxHandshakes) {
      raw.destroy();
      this.#options.failed("crowded");
      return;
    }
    this.#pending.set(raw, peer);
    // Who leaves in the middle of a handshake has left; the encrypted socket takes this over.
    raw.allowHalfOpen = false;
    // The close that follows says all there is to do.
    raw.on("error", () => {});
    raw.once("close", () => this.#pending.delete(raw));
    this.#server.emit("connection", raw);
  }

  /** Gives up those that are under way. */
  close(): void {
    this.#forgetStore();
    for (const raw of this.#pending.keys()) raw.destroy();
  }

  #failed(error: Error & { readonly code?: string }, raw: Socket | undefined): void {
    const { failed } = this.#options;
    switch (error.code) {
      case "ERR_TLS_HANDSHAKE_TIMEOUT":
        raw?.destroy();
        failed("timeout");
        return;
      case "ERR_SSL_HTTP_REQUEST":
        raw?.end(errorResponse(400));
        failed("plain-http");
        return;
      default:
        // The alert is on its way.
        raw?.destroySoon();
        failed("refused");
    }
  }
}

/** Cuts a connection off in a way that the peer takes for no end, encrypted or not. */
export function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) {
    // Node would throw: it has no handle of TCP.
    const raw = rawSocketOf(socket);
    if (raw === undefined) socket.destroy();
    else raw.resetAndDestroy();
  } else socket.resetAndDestroy();
}

/** What it is made of. By a property that is not documented, and is there in Node 22, 24 and 26. */
function rawSocketOf(socket: TLSSocket): Socket | undefined {
  return (socket as TLSSocket & { readonly _parent?: Socket | null })._parent ?? undefined;
}
