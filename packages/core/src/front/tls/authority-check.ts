import type { ForwardingFacts } from "../../http/forwarding.ts";
import { hostIn } from "../../http/host-list.ts";
import type { RequestHead } from "../../http/request-head.ts";
import type { Responder, Response } from "../responder.ts";
import type { CertificateStore } from "./certificate-store.ts";

/**
 * Refuses requests for a host that another certificate is for than the connection was opened for (RFC 9110 §7.4): what was
 * agreed on in the handshake was for that one. Clients that named nobody in it are not asked.
 */
export class AuthorityCheck implements Responder {
  readonly #certificates: CertificateStore;

  constructor(certificates: CertificateStore) {
    this.#certificates = certificates;
  }

  respond({ host }: RequestHead, { serverName }: ForwardingFacts): Response | undefined {
    if (serverName === undefined) return undefined;
    if (this.#certificates.current.areOne(hostIn(host), serverName)) return undefined;
    return { kind: "refusal", status: 421, reason: "misdirected" };
  }
}
