import { createHash } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions, type Server } from "node:tls";
import type { ClientAuthorities } from "./client-certificate.ts";
import { contextOf, useTicketKeys } from "./ticket-keys.ts";
import type { TlsMaterial } from "./tls-material.ts";
import { tlsProfiles } from "./tls-profile.ts";

/** Certificates that may be renewed. */
export interface CertificateSource {
  readonly current: Certificates;
  /** Also when it is the keys of tickets that are. Returns the unsubscribe call. */
  onRenewal(renewed: (certificates: Certificates) => void): () => void;
}

/** Whom a client asks for: those who have the first certificate, somebody else, or nobody that is known. */
export type Asked = "first" | SecureContext | undefined;

/**
 * Which certificate a client gets that asks for a name. Contexts are made once, and found by a look-up: of the name itself,
 * then of the wildcard above it.
 *
 * Those with another kind of key beside the first, for the same name, are offered with it, and the client chooses. For other
 * names the first one counts: what Node's `SNICallback` gives takes the place of one certificate, and not of two.
 */
export class Certificates {
  /** Of the first, and what clients get that ask for no name, or for one that nobody has. All sessions are of this context. */
  readonly first: SecureContextOptions;
  readonly #byName = new Map<string, Exclude<Asked, undefined>>();
  readonly #ticketKeys: readonly Buffer[];
  readonly #strictSni: boolean;

  constructor({ certificates, strictSni, profile, clients, sessionMs, ticketKeys }: TlsMaterial) {
    const [first, ...others] = certificates;
    this.#strictSni = strictSni;
    this.#ticketKeys = ticketKeys.map((key) => Buffer.from(key, "base64"));
    const shared = { ...tlsProfiles[profile], ...authorities(clients) };
    const withSessions = {
      ...shared,
      sessionIdContext: sessionIdContext(clients),
      sessionTimeout: Math.ceil(sessionMs / 1_000),
      ticketKeys: this.#ticketKeys[0]!,
    };
    if (first === undefined) {
      this.first = withSessions;
      return;
    }
    const together = others.filter(
      (other) => other.keyType !== first.keyType && other.names.some((name) => first.names.includes(name)),
    );
    const leading = [first, ...together];
    this.first = {
      ...withSessions,
      cert: leading.map(({ cert }) => cert),
      key: leading.map(({ key: pem, passphrase }) => (passphrase === undefined ? { pem } : { pem, passphrase })),
    };
    for (const name of first.names) this.#byName.set(name, "first");
    for (const { names, cert, key, passphrase } of others) {
      const named = names.filter((name) => !this.#byName.has(name));
      if (named.length === 0) continue;
      const context = createSecureContext({ ...shared, cert, key, ...(passphrase !== undefined && { passphrase }) });
      for (const name of named) this.#byName.set(name, context);
    }
  }

  /** Has the server's handshakes begin with them. */
  lead(server: Server): void {
    server.setSecureContext(this.first);
    const context = contextOf(server);
    if (context !== undefined) useTicketKeys(context, this.#ticketKeys);
  }

  /** Whether a client that has asked for the one name gets the same certificate if it asks for the other. */
  areOne(name: string, other: string): boolean {
    const one = this.given(name);
    return one !== undefined && one === this.given(other);
  }

  /** What a client gets that asks for the name. Undefined: nothing, it is turned away. */
  given(name: string): Asked {
    return this.askedFor(name) ?? (this.#strictSni ? undefined : "first");
  }

  /** The certificate that is for the name. */
  askedFor(name: string): Asked {
    // The dot of the root is no part of a name (RFC 6066 §3), and some send it.
    const host = (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase();
    const exact = this.#byName.get(host);
    if (exact !== undefined) return exact;
    const dot = host.indexOf(".");
    return dot === -1 ? undefined : this.#byName.get(`*${host.slice(dot)}`);
  }
}

function authorities(clients: ClientAuthorities | undefined): SecureContextOptions {
  if (clients === undefined) return {};
  const { ca, crl } = clients;
  return { ca: [...ca], ...(crl.length > 0 && { crl: [...crl] }) };
}

/**
 * The same in all processes: a session that began with one can be resumed with another. By default it is made from a process's
 * arguments. Who resumes a session is not asked for a certificate again, so it has to have begun with the same authorities.
 */
function sessionIdContext(clients: ClientAuthorities | undefined): string {
  if (clients === undefined) return "lb";
  return createHash("sha256").update(JSON.stringify(clients)).digest("hex").slice(0, 32);
}
