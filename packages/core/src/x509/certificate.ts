import { createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { bitString, context, type Der, integer, objectIdentifier, sequence, set, time, utf8String } from "./der.ts";

/** A certificate to be made. All keys are of ECDSA. */
export interface CertificateContent {
  /** The common name of whom it is for, which is there to be read by people; the names that count are an extension. */
  readonly subject: string;
  /** The private key of whom it is for, or the public one. */
  readonly key: KeyObject;
  /** Who signs; by default it signs itself, with `key`. */
  readonly issuer?: { readonly subject: string; readonly key: KeyObject };
  /** Of the wall clock, in milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly extensions: readonly Der[];
}

/** Makes a certificate (X.509, RFC 5280); PEM. */
export function makeCertificate(content: CertificateContent): string {
  const { subject, key, notBefore, notAfter, extensions } = content;
  const issuer = content.issuer ?? { subject, key };
  const body = sequence(
    context(0, integer(2)),
    integer(serialNumber()),
    signatureAlgorithm,
    commonName(issuer.subject),
    sequence(time(notBefore), time(notAfter)),
    commonName(subject),
    publicPart(key),
    context(3, sequence(...extensions)),
  );
  return toPem("CERTIFICATE", signed(body, issuer.key));
}

/** ECDSA with SHA-256. */
const signatureAlgorithm = sequence(objectIdentifier("1.2.840.10045.4.3.2"));

/** What is to be signed, with its signature: certificates and requests for them alike. */
export function signed(body: Der, key: KeyObject): Der {
  return sequence(body, signatureAlgorithm, bitString(sign("sha256", body, key)));
}

export function publicPart(key: KeyObject): Der {
  const own = key.type === "private" ? createPublicKey(key) : key;
  return own.export({ type: "spki", format: "der" });
}

export function commonName(text: string): Der {
  return sequence(set(sequence(objectIdentifier("2.5.4.3"), utf8String(text))));
}

export function toPem(label: string, der: Der): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** Positive, and nobody's guess. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}
