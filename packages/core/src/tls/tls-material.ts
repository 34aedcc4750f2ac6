import type { HttpsSettings } from "../options/https-options.ts";
import type { Certificate } from "./certificate.ts";
import type { ClientAuthorities } from "./client-certificate.ts";

/**
 * All that handshakes are made with, as plain data: the same in every process that makes any. There are secrets in it, so that
 * it goes by private channels alone.
 */
export interface TlsMaterial {
  /**
   * For the names that clients ask for; the first for those who ask for another one, or for none. Without any, no handshake
   * succeeds: the client gets the alert `handshake_failure`.
   */
  readonly certificates: readonly Certificate[];
  /** A client that asks for a name that no certificate is for is turned away, instead of getting the first one. */
  readonly strictSni: boolean;
  readonly profile: HttpsSettings["profile"];
  /** Undefined: clients are not asked for certificates. */
  readonly clients: ClientAuthorities | undefined;
  /** How long a session may be resumed, in milliseconds. */
  readonly sessionMs: number;
  /** Of tickets, in base64: the first seals, and all of them open. */
  readonly ticketKeys: readonly [string, ...string[]];
}
