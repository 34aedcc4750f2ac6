import { createHash, type KeyObject } from "node:crypto";
import { publicPart } from "./certificate.ts";
import {
  bitString,
  boolean,
  context,
  contextPrimitive,
  type Der,
  integer,
  objectIdentifier,
  octetString,
  readAll,
  sequence,
  tags,
} from "./der.ts";
import { generalName, type SubjectName } from "./names.ts";

// What certificates say besides the key and the names of two (RFC 5280 §4.2).

function extension(identifier: string, value: Der, critical = false): Der {
  return sequence(objectIdentifier(identifier), ...(critical ? [boolean(true)] : []), octetString(value));
}

const authorityKeyIdentifier = "2.5.29.35";

export function subjectAltName(names: readonly SubjectName[]): Der {
  return extension("2.5.29.17", sequence(...names.map(generalName)));
}

/** It may sign others, but none that may; or it may not. */
export function basicConstraints(isAuthority: boolean): Der {
  return extension("2.5.29.19", isAuthority ? sequence(boolean(true), integer(0)) : sequence(), true);
}

/** To sign certificates and revocations, or to sign handshakes. */
export function keyUsage(isAuthority: boolean): Der {
  return extension("2.5.29.15", isAuthority ? bitString(Buffer.of(0x06), 1) : bitString(Buffer.of(0x80), 7), true);
}

export function forServers(): Der {
  return extension("2.5.29.37", sequence(objectIdentifier("1.3.6.1.5.5.7.3.1")));
}

export function subjectKeyIdentifier(key: KeyObject): Der {
  return extension("2.5.29.14", octetString(keyIdentifier(key)));
}

export function authorityKey(key: KeyObject): Der {
  return extension(authorityKeyIdentifier, sequence(contextPrimitive(0, keyIdentifier(key))));
}

/** Certificates that it signs are for these hosts, what is below them, and these ranges (address and mask); for no others. */
export function nameConstraints(permitted: readonly SubjectName[]): Der {
  return extension("2.5.29.30", sequence(context(0, ...permitted.map((name) => sequence(generalName(name))))), true);
}

/** What proves a name by TLS-ALPN-01 (RFC 8737 §3). */
export function acmeIdentifier(keyAuthorization: string): Der {
  const digest = createHash("sha256").update(keyAuthorization).digest();
  return extension("1.3.6.1.5.5.7.1.31", octetString(digest), true);
}

/** Of the key itself, without what surrounds it (RFC 5280 §4.2.1.2). */
function keyIdentifier(key: KeyObject): Buffer {
  const [whole] = readAll(publicPart(key));
  const bits = readAll(whole!.content)[1]!;
  return createHash("sha1").update(bits.content.subarray(1)).digest();
}

/** Whose key has signed a certificate, as that says by itself; undefined: it does not. */
export function authorityKeyIdentifierOf(certificate: Buffer): Buffer | undefined {
  const body = readAll(readAll(certificate)[0]!.content)[0]!;
  const extensions = readAll(body.content).find(({ tag }) => tag === 0xa3);
  if (extensions === undefined) return undefined;
  const wanted = objectIdentifier(authorityKeyIdentifier);
  for (const { content } of readAll(readAll(extensions.content)[0]!.content)) {
    const parts = readAll(content);
    const value = parts.find(({ tag }) => tag === tags.octetString);
    if (!parts[0]!.whole.equals(wanted) || value === undefined) continue;
    return readAll(readAll(value.content)[0]!.content).find(({ tag }) => tag === 0x80)?.content;
  }
  return undefined;
}
