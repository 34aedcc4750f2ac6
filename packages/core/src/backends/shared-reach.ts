import { readFileSync } from "node:fs";
import { OptionError } from "../model/errors.ts";
import type { UpstreamTls } from "../model/http1-reach.ts";
import type { BackendSettings } from "../options/backend-options.ts";
import type { SharedReach } from "./endpoint-source.ts";

/** How all endpoints of a backend are reached, with what its files say. @throws OptionError for a file that cannot be read */
export function sharedReach(
  { tls, pool, proxyProtocol }: Pick<BackendSettings, "tls" | "pool" | "proxyProtocol">,
  option: string,
): SharedReach {
  return { tls: tlsOf(tls, `${option}.tls`), pool, ...(proxyProtocol && { proxyProtocol: 2 }) };
}

function tlsOf({ ca, cert, key, ...rest }: BackendSettings["tls"], option: string): Partial<UpstreamTls> {
  if ((cert === undefined) !== (key === undefined)) {
    throw new OptionError(`${option}.${cert === undefined ? "cert" : "key"}`, undefined, "give both, cert and key");
  }
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    ...(Object.fromEntries(given) as Partial<UpstreamTls>),
    ...(ca !== undefined && { ca: ca.map((one) => pemIn(one, `${option}.ca`)) }),
    ...(cert !== undefined && { cert: pemIn(cert, `${option}.cert`) }),
    ...(key !== undefined && { key: pemIn(key, `${option}.key`) }),
  };
}

function pemIn(given: string, option: string): string {
  if (given.includes("-----BEGIN ")) return given;
  try {
    return readFileSync(given, "utf8");
  } catch (cause) {
    throw new OptionError(option, given, `the file cannot be read (${(cause as Error).message})`);
  }
}
