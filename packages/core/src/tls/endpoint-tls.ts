import { createHash } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { checkServerIdentity, connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import type { Clock } from "../model/clock.ts";
import type { UpstreamTls } from "../model/http1-reach.ts";
import { UntrustedError } from "./untrusted.ts";

/** A session is not resumed any longer after its handshake: with each resumption, what was verified then counts for good. */
const sessionMs = 3_600_000;

/** Makes encrypted connections to one endpoint, resuming the session of an earlier one where there is any. */
export class EndpointTls {
  #tls: UpstreamTls;
  readonly #clock: Clock;
  #session: { readonly ticket: Buffer; readonly verifiedAt: number } | undefined;

  constructor(tls: UpstreamTls, clock: Clock) {
    this.#tls = tls;
    this.#clock = clock;
  }

  /** Whom the endpoint has to be. */
  get servername(): string {
    return this.#tls.servername;
  }

  /** Connections that begin from now on go by these. False: they say the same. */
  renew(tls: UpstreamTls): boolean {
    if (materialOf(tls) === materialOf(this.#tls)) return false;
    this.#tls = tls;
    // It stands for what was believed when it began.
    this.#session = undefined;
    return true;
  }

  /** Begins a handshake on a connection that is open. Its end is `secureConnect`, or `error` and `close`. */
  secure(raw: Socket): TLSSocket {
    const { servername, verify } = this.#tls;
    const now = this.#clock.now();
    const resumed =
      this.#session !== undefined && now - this.#session.verifiedAt < sessionMs ? this.#session : undefined;
    const socket = connect({
      socket: raw,
      secureContext: contextOf(this.#tls),
      // An address is no name that could be asked for (RFC 6066 §3).
      ...(isIP(servername) === 0 && { servername }),
      ...(resumed !== undefined && { session: resumed.ticket }),
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: verify,
      checkServerIdentity: (_host, certificate) => checkServerIdentity(servername, certificate),
    });
    let verifiedAt = now;
    const failed = () => {
      // It may have been the session that the endpoint did not like.
      this.#session = undefined;
    };
    socket.once("error", failed);
    socket.once("secureConnect", () => {
      socket.off("error", failed);
      if (socket.isSessionReused()) verifiedAt = resumed?.verifiedAt ?? now;
      else this.#checkPins(socket);
    });
    // Each is for one connection (RFC 8446 §C.4), so that the last one is the one to have.
    socket.on("session", (ticket) => {
      if (!socket.destroyed) this.#session = { ticket, verifiedAt };
    });
    return socket;
  }

  #checkPins(socket: TLSSocket): void {
    const { pins, servername } = this.#tls;
    if (pins === undefined) return;
    const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
    const pin = key === undefined ? "" : createHash("sha256").update(key).digest("base64");
    if (pins.includes(pin)) return;
    socket.destroy(
      new UntrustedError("other-key", `The public key of ${servername} is none of those pinned: sha256//${pin}`),
    );
  }
}

/** Made once for all endpoints that need the same: reading certificates costs milliseconds. */
const contexts = new Map<string, SecureContext>();
const maxContexts = 64;

/** What PEM says, as handshakes need it. @throws Error as OpenSSL has it, for what cannot be used */
export function contextOf(tls: Partial<UpstreamTls>): SecureContext {
  const { ca, cert, key, passphrase } = tls;
  const id = createHash("sha256").update(materialOf(tls)).digest("base64");
  const known = contexts.get(id);
  if (known !== undefined) return known;
  const context = createSecureContext({
    minVersion: "TLSv1.2",
    ...(ca !== undefined && { ca: [...ca] }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(passphrase !== undefined && { passphrase }),
  });
  const [oldest] = contexts.keys();
  if (contexts.size >= maxContexts && oldest !== undefined) contexts.delete(oldest);
  contexts.set(id, context);
  return context;
}

function materialOf({ ca, cert, key, passphrase }: Partial<UpstreamTls>): string {
  return JSON.stringify([ca, cert, key, passphrase]);
}
