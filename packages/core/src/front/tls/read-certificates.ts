import type { HttpsSettings } from "../../options/https-options.ts";
import { readCertificate } from "./certificate.ts";
import { Certificates } from "./certificates.ts";
import { tlsProfiles } from "./tls-profile.ts";

/**
 * Those that the settings name.
 *
 * @throws LbError `LB_CERTIFICATE` for the first that cannot be used
 */
export function readCertificates({ certificates, profile }: HttpsSettings): Certificates {
  const [first, ...others] = certificates.map((one, at) => readCertificate(one, `https.certificates[${at}]`));
  return new Certificates([first!, ...others], tlsProfiles[profile]);
}
