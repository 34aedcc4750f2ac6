import { createHash, createHmac, createPublicKey, type KeyObject, sign } from "node:crypto";

// Requests are signed with the account's key (RFC 8555 §6.2): ECDSA on P-256, which every authority takes.

/** A public key as JSON, its members in the order in which they are hashed (RFC 7638). */
function jwkOf(key: KeyObject): object {
  const { crv, kty, x, y } = createPublicKey(key).export({ format: "jwk" });
  return { crv, kty, x, y };
}

/** What an account's key is called in proofs. */
export function thumbprint(key: KeyObject): string {
  return createHash("sha256")
    .update(JSON.stringify(jwkOf(key)))
    .digest("base64url");
}

export interface SignedRequest {
  readonly key: KeyObject;
  readonly url: string;
  readonly nonce: string;
  /** The account's URL; undefined: the key itself goes along, since there is no account yet. */
  readonly account: string | undefined;
  /** Undefined: it only asks. */
  readonly payload: object | undefined;
}

export function signRequest({ key, url, nonce, account, payload }: SignedRequest): string {
  const signer = account === undefined ? { jwk: jwkOf(key) } : { kid: account };
  return jws({ alg: "ES256", ...signer, nonce, url }, payload, (input) =>
    sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }),
  );
}

/** Says that an account of the authority's own, elsewhere, is behind this key (RFC 8555 §7.3.4). */
export function bindAccount(
  key: KeyObject,
  url: string,
  { keyId, hmacKey }: { keyId: string; hmacKey: string },
): object {
  const bound = jws({ alg: "HS256", kid: keyId, url }, jwkOf(key), (input) =>
    createHmac("sha256", Buffer.from(hmacKey, "base64url")).update(input).digest(),
  );
  return JSON.parse(bound) as object;
}

function jws(header: object, payload: object | undefined, signature: (input: string) => Buffer): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const [head, body] = [encode(header), payload === undefined ? "" : encode(payload)];
  return JSON.stringify({
    protected: head,
    payload: body,
    signature: signature(`${head}.${body}`).toString("base64url"),
  });
}
