import { LbError, OptionError } from "../model/errors.ts";
import type { UpstreamTls } from "../model/http1-reach.ts";
import type { BackendSettings } from "../options/backend-options.ts";
import { readAuthorities } from "../tls/authorities.ts";
import { isPem, pemOf } from "../tls/certificate.ts";
import { contextOf } from "../tls/endpoint-tls.ts";
import type { SharedReach } from "./endpoint-source.ts";

/**
 * How all endpoints of a backend are reached, with what its files say.
 *
 * @param option the backend's path, for messages
 * @throws LbError `LB_CERTIFICATE` for what cannot be used, `LB_OPTION` for what is missing
 */
export function sharedReach(
  { tls, pool, proxyProtocol }: Pick<BackendSettings, "tls" | "pool" | "proxyProtocol">,
  option: string,
): SharedReach {
  return { tls: tlsOf(tls, `${option}.tls`), pool, ...(proxyProtocol && { proxyProtocol: 2 }) };
}

/** Files among what is said of certificates; what is given as PEM does not change. */
export function certificateFiles({ ca, cert, key }: BackendSettings["tls"]): readonly string[] {
  return [ca ?? [], cert ?? [], key ?? []].flat().filter((one) => !isPem(one));
}

function tlsOf({ ca, cert, key, ...rest }: BackendSettings["tls"], option: string): Partial<UpstreamTls> {
  if ((cert === undefined) !== (key === undefined)) {
    throw new OptionError(`${option}.${cert === undefined ? "cert" : "key"}`, undefined, "give both, cert and key");
  }
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  const tls = {
    ...(Object.fromEntries(given) as Partial<UpstreamTls>),
    ...(ca !== undefined && { ca: readAuthorities(ca, `${option}.ca`) }),
    ...(cert !== undefined && { cert: pemOf(cert, `${option}.cert`) }),
    ...(key !== undefined && { key: pemOf(key, `${option}.key`) }),
  };
  try {
    contextOf(tls);
  } catch (cause) {
    const why = `Certificate and key cannot be used together (${(cause as Error).message}).`;
    throw new LbError("LB_CERTIFICATE", `Option "${option}": ${why}`, { cause });
  }
  return tls;
}
