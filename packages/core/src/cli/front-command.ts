import { basename } from "node:path";
import { frontAlone } from "../cluster/cluster.ts";
import { OptionError } from "../model/errors.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import { CliError } from "./cli-error.ts";
import { withHttps } from "./https-flag.ts";
import { flagOf, withFlags } from "./start-flags.ts";

/** Options of `lb start` that have a meaning without an app. */
export const frontOptions =
  /^(name|port|host|listen|https|http|healthEndpoints|drainTimeoutMs|shutdownDelayMs|trustedProxies|proxyProtocol|allowedHosts|allowedOrigins|securityHeaders|timeouts|limits|log|admin)(\.|$)/;

/** Runs a front without an app, in the foreground, until a signal ends it. `made`: of the options as the flags have them. */
export async function runFront(
  base: ClusterOptions,
  flags: Readonly<Record<string, unknown>>,
  made: (options: ClusterOptions) => ClusterOptions = (options) => options,
): Promise<void> {
  const flagged = withFlags({ name: basename(process.cwd()) || "front", ...base }, flags);
  const options =
    flags["https"] === undefined ? flagged : withHttps(flagged, { configured: base.https, env: process.env });
  try {
    await frontAlone(made(options));
  } catch (error) {
    const flag = error instanceof OptionError ? flagOf(error.option, flags) : undefined;
    if (flag === undefined) throw error;
    throw new CliError((error as Error).message.replace(/^Option "[^"]+"/, flag), 2);
  }
}
