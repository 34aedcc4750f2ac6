import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { makeCertificate } from "../../src/x509/certificate.ts";
import * as extension from "../../src/x509/extensions.ts";
import type { SubjectName } from "../../src/x509/names.ts";

export interface PemPair {
  readonly cert: string;
  readonly key: string;
}

const dayMs = 86_400_000;

export const loopback: SubjectName = { kind: "ip", bytes: Buffer.of(127, 0, 0, 1) };
export const loopback6: SubjectName = { kind: "ip", bytes: Buffer.concat([Buffer.alloc(15), Buffer.of(1)]) };
export const dns = (name: string): SubjectName => ({ kind: "dns", name });

/** Signs the certificates of backends, and of those who ask them. */
export function backendAuthority(subject = "backends") {
  const authorityKey = newKey();
  const ca = makeCertificate({
    subject,
    key: authorityKey,
    notBefore: Date.now() - dayMs,
    notAfter: Date.now() + 30 * dayMs,
    extensions: [
      extension.basicConstraints(true),
      extension.keyUsage(true),
      extension.subjectKeyIdentifier(authorityKey),
    ],
  });
  return {
    ca,
    /** From so many days from now, to so many. */
    issue(names: readonly SubjectName[], days: { readonly from?: number; readonly to?: number } = {}): PemPair {
      const { from = -1, to = 30 } = days;
      const key = newKey();
      const cert = makeCertificate({
        subject: "backend",
        key,
        issuer: { subject, key: authorityKey },
        notBefore: Date.now() + from * dayMs,
        notAfter: Date.now() + to * dayMs,
        extensions: [
          extension.basicConstraints(false),
          extension.keyUsage(false),
          ...(names.length === 0 ? [] : [extension.subjectAltName(names)]),
          extension.subjectKeyIdentifier(key),
          extension.authorityKey(authorityKey),
        ],
      });
      return { cert, key: key.export({ type: "pkcs8", format: "pem" }) as string };
    },
  };
}

function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}
