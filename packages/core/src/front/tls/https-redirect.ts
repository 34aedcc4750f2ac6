import { cameEncrypted, type ForwardingFacts } from "../../http/forwarding.ts";
import { hostIn } from "../../http/host-list.ts";
import type { RequestHead } from "../../http/request-head.ts";
import type { Responder, Response } from "../responder.ts";

export interface HttpsRedirectOptions {
  /** A host that clients may be sent to; without a port. */
  readonly isOurs: (host: string) => boolean;
  /** Where it listens, which is known when it does. */
  readonly httpsPort: () => number;
}

/** Sends those who come without encryption to where there is some. Never to a host that is somebody else's. */
export class HttpsRedirect implements Responder {
  readonly #options: HttpsRedirectOptions;

  constructor(options: HttpsRedirectOptions) {
    this.#options = options;
  }

  respond(request: RequestHead, facts: ForwardingFacts): Response | undefined {
    if (cameEncrypted(request, facts)) return undefined;
    const { host, target } = request;
    const { isOurs, httpsPort } = this.#options;
    const name = hostIn(host);
    if (!isOurs(name)) return { kind: "refusal", status: 421, reason: "host-not-allowed" };
    const port = httpsPort();
    const origin = `https://${name}${port === 443 ? "" : `:${port}`}`;
    const path = target.startsWith("/") ? target : "/";
    const fields = ["Location", `${origin}${path}`];
    return { kind: "answer", reason: "https-redirect", status: 308, fields, body: "" };
  }
}
