import { X509Certificate } from "node:crypto";
import { LbError } from "../model/errors.ts";
import { pemOf } from "./certificate.ts";

/**
 * Who may sign certificates: files or PEM, one certificate or several each; as PEM.
 *
 * @param option its path, for the message
 * @throws LbError `LB_CERTIFICATE`
 */
export function readAuthorities(given: string | readonly string[], option: string): readonly string[] {
  if (typeof given === "string") return [authoritiesIn(given, option)];
  return given.map((one, at) => authoritiesIn(one, `${option}[${at}]`));
}

function authoritiesIn(given: string, option: string): string {
  const text = pemOf(given, option);
  try {
    for (const [pem] of text.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g))
      new X509Certificate(pem);
    new X509Certificate(text);
  } catch (cause) {
    const why = `Give the certificates of who signs, in PEM (${(cause as Error).message}).`;
    throw new LbError("LB_CERTIFICATE", `Option "${option}": ${why}`, { cause });
  }
  return text;
}
