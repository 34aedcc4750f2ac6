import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { RequestHead } from "../http/request-head.ts";
import type { BasicAuthSettings } from "../options/basic-auth-options.ts";
import type { Responder, Response } from "./responder.ts";

const digestText = /^sha256:([0-9a-f]{64})$/i;

/** Lets those pass who give a name with its password (RFC 7617). How long that takes says nothing of either. */
export class BasicAuth implements Responder {
  readonly #challenge: Response;
  /** Digests of passwords, by names. */
  readonly #digests: ReadonlyMap<string, Buffer>;
  /** For names that are nobody's. */
  readonly #nobody = digestOf(randomBytes(32).toString("hex"));

  constructor({ users, realm }: BasicAuthSettings) {
    this.#digests = new Map(
      Object.entries(users).map(([name, given]) => {
        const [, hex] = digestText.exec(given) ?? [];
        return [name, hex === undefined ? digestOf(given) : Buffer.from(hex, "hex")];
      }),
    );
    this.#challenge = {
      kind: "answer",
      status: 401,
      fields: ["WWW-Authenticate", `Basic realm="${realm}", charset="UTF-8"`, "Content-Type", "text/plain"],
      body: "401 Unauthorized\n",
    };
  }

  respond(request: RequestHead): Response | undefined {
    return this.#knows(request.header("authorization")) ? undefined : this.#challenge;
  }

  #knows(authorization: string | undefined): boolean {
    const [, encoded] = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization ?? "") ?? [];
    if (encoded === undefined) return false;
    const text = Buffer.from(encoded, "base64").toString();
    const colon = text.indexOf(":");
    if (colon === -1) return false;
    const known = this.#digests.get(text.slice(0, colon));
    const isIt = timingSafeEqual(digestOf(text.slice(colon + 1)), known ?? this.#nobody);
    return isIt && known !== undefined;
  }
}

function digestOf(password: string): Buffer {
  return createHash("sha256").update(password).digest();
}
