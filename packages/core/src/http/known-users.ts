import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const digestText = /^sha256:([0-9a-f]{64})$/i;

/** Knows users by name and password, as RFC 7617 has them given. How long that takes says nothing of either. */
export class KnownUsers {
  /** Digests of passwords, by names. */
  readonly #digests: ReadonlyMap<string, Buffer>;
  /** For names that are nobody's. */
  readonly #nobody = digestOf(randomBytes(32).toString("hex"));

  /** `users`: passwords by names; `"sha256:"` and the digest in hexadecimal in place of a password. */
  constructor(users: Readonly<Record<string, string>>) {
    this.#digests = new Map(
      Object.entries(users).map(([name, given]) => {
        const [, hex] = digestText.exec(given) ?? [];
        return [name, hex === undefined ? digestOf(given) : Buffer.from(hex, "hex")];
      }),
    );
  }

  /** Whether an Authorization field is that of one of them. */
  knows(authorization: string | undefined): boolean {
    const given = basicCredentials(authorization);
    if (given === undefined) return false;
    const known = this.#digests.get(given.name);
    const isIt = timingSafeEqual(digestOf(given.password), known ?? this.#nobody);
    return isIt && known !== undefined;
  }
}

/** Knows one token, as `Bearer` (RFC 6750) or as a password. How long that takes says nothing of it. */
export class KnownToken {
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = digestOf(token);
  }

  knows(authorization: string | undefined): boolean {
    const [, bearer] = /^bearer +(\S+) *$/i.exec(authorization ?? "") ?? [];
    const given = bearer ?? basicCredentials(authorization)?.password;
    return given !== undefined && timingSafeEqual(digestOf(given), this.#digest);
  }
}

function basicCredentials(
  authorization: string | undefined,
): { readonly name: string; readonly password: string } | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization ?? "") ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString();
  const colon = text.indexOf(":");
  return colon === -1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

function digestOf(password: string): Buffer {
  return createHash("sha256").update(password).digest();
}
