import { basename } from "node:path";
import { frontAlone } from "../cluster/cluster.ts";
import { Primary } from "../cluster/primary.ts";
import { OptionError } from "../model/errors.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import { CliError } from "./cli-error.ts";
import { startedConfiguration } from "./config/started-configuration.ts";
import { type Here, placeOf } from "./daemon/background.ts";
import type { Detached } from "./daemon/detached.ts";
import { loggedAccess, loggedOutput, timed } from "./daemon/logged-options.ts";
import { withHttps } from "./https-flag.ts";
import { labelled } from "./output-writer.ts";
import { flagOf, withFlags } from "./start-flags.ts";
import type { StartPlan } from "./start-plan.ts";
import { logThrough, unfolded } from "./told-log.ts";

/** Options of `lb start` that have a meaning without an app. */
export const frontOptions =
  /^(name|port|host|listen|https|http|healthEndpoints|drainTimeoutMs|shutdownDelayMs|trustedProxies|proxyProtocol|allowedHosts|allowedOrigins|securityHeaders|timeouts|limits|log|admin)(\.|$)/;

/** What a front is of. */
export interface FrontOrigin {
  /** Of the options as the flags have them. Default: those. */
  readonly made?: (options: ClusterOptions) => ClusterOptions;
  /** What a configuration says. Absent: there is none. */
  readonly planned?: Extract<StartPlan, { readonly kind: "front" }>;
}

/** Runs a front without an app until a signal ends it. */
export async function runFront(
  base: ClusterOptions,
  flags: Readonly<Record<string, unknown>>,
  { made = (options) => options, planned }: FrontOrigin = {},
): Promise<void> {
  const name = basename(process.cwd()) || "front";
  const place = await placeOf(withFlags({ name, ...base }, flags), flags);
  if (place.kind === "elsewhere") return;
  const { background, replaceable } = place;
  const optionsOf = (config: ClusterOptions): ClusterOptions => {
    const named = { name, ...config };
    const flagged = withFlags(background === undefined ? named : { ...named, log: timed(unfolded(named.log)) }, flags);
    const options =
      flags["https"] === undefined ? flagged : withHttps(flagged, { configured: config.https, env: process.env });
    return background === undefined ? made(options) : logged(made(options), background, place);
  };
  try {
    const front = await frontAlone(optionsOf(base), replaceable);
    place.hasTakenOver();
    background?.ready(front);
    if (planned !== undefined && front instanceof Primary) {
      const source = {
        planned,
        file: planned.configFile,
        flags,
        optionsOf: ({ config }: StartPlan) => optionsOf(config),
        adopted: () => {},
      };
      front.isConfiguredBy(startedConfiguration(source));
    }
  } catch (error) {
    await background?.close();
    const flag = error instanceof OptionError ? flagOf(error.option, flags) : undefined;
    if (flag === undefined) throw error;
    throw new CliError((error as Error).message.replace(/^Option "[^"]+"/, flag), 2);
  }
}

function logged(options: ClusterOptions, background: Detached, { said }: Here): ClusterOptions {
  return {
    ...options,
    log: logThrough((text, entry) => {
      background.line("stderr", text);
      said(entry);
    }, options.log),
    output: loggedOutput(options.output, (line) => background.line(line.stream, labelled(line, process[line.stream]))),
    ...loggedAccess(options.accessLog, background),
  };
}
