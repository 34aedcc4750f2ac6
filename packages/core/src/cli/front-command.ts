import { basename } from "node:path";
import { frontAlone } from "../cluster/cluster.ts";
import { OptionError } from "../model/errors.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import { CliError } from "./cli-error.ts";
import { placeOf } from "./daemon/background.ts";
import type { Detached } from "./daemon/detached.ts";
import { loggedAccess, loggedOutput, timed } from "./daemon/logged-options.ts";
import { withHttps } from "./https-flag.ts";
import { labelled } from "./output-writer.ts";
import { flagOf, withFlags } from "./start-flags.ts";
import { logThrough, unfolded } from "./told-log.ts";

/** Options of `lb start` that have a meaning without an app. */
export const frontOptions =
  /^(name|port|host|listen|https|http|healthEndpoints|drainTimeoutMs|shutdownDelayMs|trustedProxies|proxyProtocol|allowedHosts|allowedOrigins|securityHeaders|timeouts|limits|log|admin)(\.|$)/;

/** Runs a front without an app until a signal ends it. `made`: of the options as the flags have them. */
export async function runFront(
  base: ClusterOptions,
  flags: Readonly<Record<string, unknown>>,
  made: (options: ClusterOptions) => ClusterOptions = (options) => options,
): Promise<void> {
  const named = { name: basename(process.cwd()) || "front", ...base };
  const place = await placeOf(withFlags(named, flags), flags);
  if (place.kind === "elsewhere") return;
  const background = place.kind === "background" ? place.primary : undefined;
  const flagged = withFlags(background === undefined ? named : { ...named, log: timed(unfolded(named.log)) }, flags);
  const options =
    flags["https"] === undefined ? flagged : withHttps(flagged, { configured: base.https, env: process.env });
  try {
    const front = await frontAlone(background === undefined ? made(options) : logged(made(options), background));
    background?.ready(front);
  } catch (error) {
    await background?.close();
    const flag = error instanceof OptionError ? flagOf(error.option, flags) : undefined;
    if (flag === undefined) throw error;
    throw new CliError((error as Error).message.replace(/^Option "[^"]+"/, flag), 2);
  }
}

function logged(options: ClusterOptions, background: Detached): ClusterOptions {
  return {
    ...options,
    log: logThrough((text, entry) => {
      background.line("stderr", text);
      background.said(entry);
    }, options.log),
    output: loggedOutput(options.output, (line) => background.line(line.stream, labelled(line, process[line.stream]))),
    ...loggedAccess(options.accessLog, background),
  };
}
