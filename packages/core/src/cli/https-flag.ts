import { networkInterfaces } from "node:os";
import type { ClusterOptions } from "../options/cluster-options.ts";
import type { HttpsOptions } from "../options/https-options.ts";

/** What `--https` takes: names that lead to this machine from the Internet, `localhost`, or both. */
export function httpsOf(names: readonly string[]): HttpsOptions {
  const domains = names.filter((name) => name !== "localhost");
  return {
    ...(domains.length < names.length && { localhost: true }),
    ...(domains.length > 0 && { acme: { domains, agreeTos: true } }),
  };
}

export interface Around {
  /** What the configuration says of `https`, beside the flags. */
  readonly configured: ClusterOptions["https"];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The options with `--https` among the flags, and what nobody has said filled in: for names on the Internet ports 80 and 443 on
 * all addresses, for localhost alone ports that every user may open, on loopback. The port without TLS redirects.
 */
export function withHttps(options: ClusterOptions, { configured, env }: Around): ClusterOptions {
  const { https } = options;
  if (typeof https !== "object") return options;
  const before = typeof configured === "object" ? configured : {};
  const acme = https.acme && { ...before.acme, ...https.acme };
  const given = { ...before, ...https, ...(acme !== undefined && { acme }) };
  const redirecting: ClusterOptions = { http: "redirect", ...options, https: given };
  // Who says where to listen has said it.
  if (options.listen !== undefined) return redirecting;
  const isPublic = given.acme !== undefined;
  const port = options.port ?? portFrom(env) ?? (isPublic ? 80 : 3_000);
  return {
    ...(isPublic && { host: allAddresses() }),
    ...(isPublic && port < 1_024 && { workerPort: 0 }),
    ...redirecting,
    port,
    https: { port: isPublic ? 443 : beside(port), ...given },
  };
}

/** What is no number is refused with all other options. */
function portFrom({ PORT: text }: NodeJS.ProcessEnv): number | undefined {
  return /^\d{1,5}$/.test(text?.trim() ?? "") ? Number(text) : undefined;
}

/** 3443 for 3000, 8443 for 8080; 443 for 80. */
function beside(port: number): number {
  return port === 0 ? 0 : port - (port % 1_000) + 443;
}

/** Those of IPv6 and, with them, those of IPv4; where there is no IPv6 `::` cannot be opened. */
function allAddresses(): string {
  const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ family }) => family === "IPv6"));
  return hasIpv6 ? "::" : "0.0.0.0";
}
