import type { CertificateKeeper, KeeperOptions } from "@lb/core/kit";
import { AcmeIssuer } from "./issuer.ts";
import { Keeper } from "./keeper.ts";
import { SharedChallenges } from "./shared-challenges.ts";
import { CertificateStorage } from "./storage.ts";

export { AcmeError } from "./errors.ts";

/**
 * Keeps the certificate that the option `https.acme` of `cluster()` describes. For `@lb/core`, which calls it where that option is
 * given: nothing has to be done but to install this package.
 *
 * @throws OptionError
 */
export function keepCertificate(options: KeeperOptions): CertificateKeeper {
  const { settings, clock } = options;
  const abort = new AbortController();
  const { directory, domains, storage: root } = settings;
  const storage = new CertificateStorage({ root, directory, domains, clock, signal: abort.signal });
  const { signal } = abort;
  const challenges = new SharedChallenges({ ...options, storage, signal });
  const issuer = new AcmeIssuer({ ...options, present: (all) => challenges.present(all), storage, signal });
  return new Keeper({ ...options, issuer, storage, challenges, abort });
}
