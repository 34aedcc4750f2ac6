import { Admission } from "./admission.ts";
import type { Responder } from "./responder.ts";
import type { FrontSettings } from "./settings.ts";
import { AuthorityCheck } from "./tls/authority-check.ts";
import type { CertificateStore } from "./tls/certificate-store.ts";
import { HttpsRedirect } from "./tls/https-redirect.ts";

export interface FrontRespondersOptions {
  /** Those who are asked before all of ours. */
  readonly first: readonly Responder[];
  readonly settings: FrontSettings;
  /** Where there are listeners with TLS. */
  readonly certificates: CertificateStore | undefined;
  /** Where clients find one. */
  readonly httpsPort: () => number;
}

/** Those who may answer instead of the app, in the order in which both fronts ask them. */
export function frontResponders({
  first,
  settings,
  certificates,
  httpsPort,
}: FrontRespondersOptions): readonly Responder[] {
  const admission = new Admission(settings);
  if (certificates === undefined) return [...first, admission];
  const check = new AuthorityCheck(certificates);
  if (settings.http !== "redirect") return [...first, check, admission];
  const { allowedHosts, https } = settings;
  // Those that are asked for are ours before they are there.
  const awaited = new Set(https === false ? [] : https.acme?.domains);
  const isOurs = (host: string) =>
    allowedHosts?.has(host) ?? (awaited.has(host) || certificates.current.askedFor(host) !== undefined);
  return [...first, new HttpsRedirect({ isOurs, httpsPort }), check, admission];
}
