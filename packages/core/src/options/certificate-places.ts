import { join } from "node:path";
import { OptionError } from "../model/errors.ts";
import { type CertificateSettings, certificatesSchema, type HttpsSettings } from "./https-options.ts";
import { parseOptions } from "./validation.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * There is a certificate, or somebody who gives one, and a place for those that are made.
 *
 * @throws OptionError
 */
export function certificatePlaces<Https extends HttpsSettings>(https: Https, env: Environment): Https {
  const { acme, localhost } = https;
  requireOne(https, "https.certificates");
  const state = stateDirectory(env);
  const homeless = "there is no home directory to keep it in: set XDG_STATE_HOME to a directory";
  if (localhost === true && state === undefined) throw new OptionError("https.localhost", localhost, homeless);
  const storage = acme?.storage ?? (state && join(state, "acme"));
  if (acme !== undefined && storage === undefined) {
    throw new OptionError("https.acme.storage", undefined, `${homeless}, or this option`);
  }
  return {
    ...https,
    localhost: localhost === true ? join(state!, "localhost") : localhost,
    ...(acme !== undefined && { acme: { ...acme, storage } }),
  };
}

/**
 * What a running cluster is given in place of `https.certificates`.
 *
 * @throws OptionError
 */
export function otherCertificates(https: HttpsSettings | false, given: unknown): readonly CertificateSettings[] {
  if (https === false) throw new OptionError("https", https, "there is no port with TLS: start the cluster with one");
  const certificates = parseOptions(certificatesSchema, given, "certificates");
  requireOne({ ...https, certificates }, "certificates");
  return certificates;
}

function requireOne({ certificates, acme, localhost }: HttpsSettings, option: string): void {
  if (certificates.length > 0 || acme !== undefined || localhost !== false) return;
  throw new OptionError(option, certificates, 'give one certificate at least, or the option "https.acme"');
}

/**
 * Where this user's programs keep what outlives them: systemd says so to its services (`StateDirectory=`), the XDG directories
 * to everybody else. Undefined: there is no home.
 */
function stateDirectory({
  STATE_DIRECTORY: service,
  XDG_STATE_HOME: state,
  HOME: home,
}: Environment): string | undefined {
  // Several have colons between them.
  if (service) return service.split(":")[0]!;
  if (state) return join(state, "lb");
  return home ? join(home, ".local", "state", "lb") : undefined;
}
