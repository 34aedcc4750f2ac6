import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";

/** What clients will not like of a certificate and those behind it, as far as it can be seen here; undefined: nothing. */
export function chainProblem(pem: string): string | undefined {
  const chain = (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []).map(
    (one) => new X509Certificate(one),
  );
  const last = chain.at(-1);
  if (last === undefined) return undefined;
  for (const [at, certificate] of chain.entries()) {
    const next = chain[at + 1];
    if (next !== undefined && !signs(next, certificate))
      return `number ${at + 2} of its chain has not signed the one before it`;
  }
  if (signs(last, last)) return chain.length === 1 ? "it signs itself, which clients do not trust" : undefined;
  if (rootsNamed(last.issuer).some((root) => signs(root, last))) return undefined;
  return `its chain ends at ${oneLine(last.issuer)}, which Node.js does not know: one between is missing, or it is a private authority`;
}

function signs(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Those of Node.js, read when somebody asks first. */
let roots: readonly X509Certificate[] | undefined;

function rootsNamed(subject: string): readonly X509Certificate[] {
  roots ??= rootCertificates.map((one) => new X509Certificate(one));
  return roots.filter((root) => root.subject === subject);
}

/** As Node has it, part by part on lines of their own. */
export function oneLine(name: string): string {
  return name.trim().split("\n").reverse().join(", ");
}
