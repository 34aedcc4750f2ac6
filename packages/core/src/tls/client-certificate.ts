import type { TLSSocket } from "node:tls";
import type { ClientCertificateSettings } from "../options/https-options.ts";
import { readAuthorities } from "./authorities.ts";
import { pemOf } from "./certificate.ts";

/** Who may sign the certificates of clients, and whether every client needs one. */
export interface ClientAuthorities {
  /** PEM, one certificate or several each. */
  readonly ca: readonly string[];
  /** Certificates that are revoked; PEM. */
  readonly crl: readonly string[];
  readonly require: boolean;
}

/** @throws LbError `LB_CERTIFICATE` */
export function readClientAuthorities({ ca, crl, require }: ClientCertificateSettings): ClientAuthorities {
  return {
    ca: readAuthorities(ca, `${option}.ca`),
    crl: crl === undefined ? [] : [pemOf(crl, `${option}.crl`)],
    require,
  };
}

const option = "https.clientCertificates";

/**
 * What the app is told of the client's certificate (name, value, name, value …): it, as RFC 9440 has it, its subject as RFC 4514
 * has it, and its SHA-256. Nothing of one that was not verified: what is there is good.
 *
 * `now`: a session that is resumed was verified when it began, and its certificate may have expired since.
 */
export function clientCertificateFields(socket: TLSSocket, now: number): readonly string[] {
  // To a session without a certificate that is resumed, Node says that it is authorized.
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined || Date.parse(certificate.validTo) <= now) return [];
  return [
    "Client-Cert",
    `:${certificate.raw.toString("base64")}:`,
    "X-Client-Cert-Subject",
    distinguishedName(certificate.subject ?? ""),
    "X-Client-Cert-Fingerprint",
    certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
  ];
}

/** Node has its parts a line each, the outermost first, with what is special in them escaped; but for what is no ASCII. */
function distinguishedName(subject: string): string {
  const name = subject.split("\n").reverse().join(",");
  return name.replace(/[^\x20-\x7e]+/g, (text) =>
    Buffer.from(text).toString("hex").toUpperCase().replace(/../g, "\\$&"),
  );
}
