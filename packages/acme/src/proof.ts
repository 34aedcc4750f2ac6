import { acmeIdentifier, type Challenges, type IssuedCertificate, makeCertificate, subjectAltName } from "@lb/core/kit";
import { newKey } from "./account.ts";

export type ChallengeKind = "http-01" | "tls-alpn-01";

/** What is shown to prove a name. */
export interface Proof {
  readonly kind: ChallengeKind;
  readonly domain: string;
  readonly token: string;
  readonly keyAuthorization: string;
}

const dayMs = 86_400_000;

/** What the front is to answer with. */
export function challengesOf(proofs: readonly Proof[], now: number): Challenges {
  const of = (kind: ChallengeKind) => proofs.filter((proof) => proof.kind === kind);
  return {
    http: Object.fromEntries(of("http-01").map(({ token, keyAuthorization }) => [token, keyAuthorization])),
    alpn: Object.fromEntries(of("tls-alpn-01").map((proof) => [proof.domain, certificateFor(proof, now)])),
  };
}

/** Signs itself, and says what is to be proved (RFC 8737 §3). */
function certificateFor({ domain, keyAuthorization }: Proof, now: number): IssuedCertificate {
  const key = newKey();
  const cert = makeCertificate({
    subject: "ACME challenge",
    key,
    notBefore: now - dayMs,
    notAfter: now + 7 * dayMs,
    extensions: [subjectAltName([{ kind: "dns", name: domain }]), acmeIdentifier(keyAuthorization)],
  });
  return { cert, key: key.export({ type: "pkcs8", format: "pem" }) as string };
}
