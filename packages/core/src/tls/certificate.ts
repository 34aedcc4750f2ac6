import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { LbError } from "../model/errors.ts";
import type { CertificateSettings } from "../options/https-options.ts";
import { chainProblem, oneLine } from "./chain-problem.ts";

/** A certificate with its chain, and the key that belongs to it. */
export interface Certificate {
  /** PEM: its own first, then those that lead to a root. */
  readonly cert: string;
  readonly key: string;
  readonly passphrase: string | undefined;
  /** In lower case; `*.example.com` for all directly below it. */
  readonly names: readonly string[];
  /** Of the wall clock, in milliseconds: it is good from the one to the other. */
  readonly validFrom: number;
  readonly expiresAt: number;
  /** Who has signed it. */
  readonly issuer: string;
  /** What clients may not like of it; see {@link chainProblem}. */
  readonly problem: string | undefined;
  /** As Node calls it: `"ec"`, `"rsa"`, … */
  readonly keyType: string;
}

/**
 * Reads a certificate and its key and checks that they belong together.
 *
 * @param option the option's path, for the message
 * @throws LbError `LB_CERTIFICATE`
 */
export function readCertificate(given: CertificateSettings, option: string): Certificate {
  const cert = pemOf(given.cert, `${option}.cert`);
  const key = pemOf(given.key, `${option}.key`);
  const parsed = attempt(`${option}.cert`, given.cert, () => new X509Certificate(cert), "a certificate in PEM");
  const { passphrase } = given;
  const privateKey = attempt(
    `${option}.key`,
    given.key,
    () => createPrivateKey(passphrase === undefined ? key : { key, passphrase }),
    passphrase === undefined ? "a private key in PEM, without a passphrase" : "a private key in PEM of that passphrase",
  );
  if (!parsed.checkPrivateKey(privateKey)) {
    throw unusable(option, "The key is not that of the certificate: give the two that were made together.");
  }
  const names = namesOf(parsed);
  if (names.length === 0) throw unusable(option, "The certificate names no host: give one with a subjectAltName.");
  return {
    cert,
    key,
    passphrase,
    names,
    validFrom: Date.parse(parsed.validFrom),
    expiresAt: Date.parse(parsed.validTo),
    issuer: oneLine(parsed.issuer),
    problem: chainProblem(cert),
    keyType: privateKey.asymmetricKeyType ?? "unknown",
  };
}

/** Else it is the path of a file. */
export function isPem(text: string): boolean {
  return text.trimStart().startsWith("-----BEGIN ");
}

/** @throws LbError `LB_CERTIFICATE` if it is the path of a file that cannot be read */
export function pemOf(given: string, option: string): string {
  if (isPem(given)) return given;
  try {
    return readFileSync(given, "utf8");
  } catch (cause) {
    throw unusable(option, `The file cannot be read: ${(cause as Error).message}.`, cause);
  }
}

function attempt<Result>(option: string, given: string, read: () => Result, wanted: string): Result {
  try {
    return read();
  } catch (cause) {
    const what = isPem(given) ? "The text" : `The file ${given}`;
    throw unusable(option, `${what} is not ${wanted} (${(cause as Error).message}).`, cause);
  }
}

function unusable(option: string, why: string, cause?: unknown): LbError {
  return new LbError("LB_CERTIFICATE", `Option "${option}": ${why}`, cause === undefined ? {} : { cause });
}

/** Hosts and addresses it is for. Only names that were not quoted: those that hold what no name may are none. */
function namesOf({ subjectAltName }: X509Certificate): readonly string[] {
  return (subjectAltName ?? "").split(", ").flatMap((entry) => {
    const [, name] = /^(?:DNS|IP Address):([\w.*:-]+)$/.exec(entry) ?? [];
    return name === undefined ? [] : [asInHostFields(name.toLowerCase())];
  });
}

/** Addresses of IPv6 with all their zeros, as Node has them, are written `[::1]` by clients. */
function asInHostFields(name: string): string {
  const url = `http://[${name}]/`;
  return name.includes(":") && URL.canParse(url) ? new URL(url).hostname : name;
}
