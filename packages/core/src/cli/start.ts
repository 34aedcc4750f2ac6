import { type Cluster, replaceableCluster } from "../cluster/cluster.ts";
import { Primary } from "../cluster/primary.ts";
import type { Replaceable } from "../cluster/replaceable.ts";
import { systemClock, systemWallClock } from "../model/clock.ts";
import { LbError, OptionError } from "../model/errors.ts";
import type { OutputLine } from "../model/output-line.ts";
import { StartError } from "../model/start-error.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import { startUnmodifiedApp } from "../worker/unmodified-app.ts";
import { CliError } from "./cli-error.ts";
import { startedConfiguration } from "./config/started-configuration.ts";
import { placeOf } from "./daemon/background.ts";
import type { Detached } from "./daemon/detached.ts";
import { loggedAccess, loggedOutput, timed } from "./daemon/logged-options.ts";
import { runFront } from "./front-command.ts";
import { withHttps } from "./https-flag.ts";
import { labelled, OutputWriter } from "./output-writer.ts";
import { OwnTraces } from "./own-traces.ts";
import { defaultsOf } from "./planned-options.ts";
import { programEnvironment } from "./program-environment.ts";
import { flagFor, flagOf, withFlags } from "./start-flags.ts";
import { StartOutput } from "./start-output.ts";
import { type PlanFlags, plan, type StartPlan } from "./start-plan.ts";
import { logThrough, unfolded } from "./told-log.ts";

/** An instance that is not ready by then may say why. */
const heldOutputMs = 5_000;

/** There is something to be run. */
type Runnable = Exclude<StartPlan, { readonly kind: "front" }>;

/** Those of `start-flags.ts` besides. */
export type StartFlags = PlanFlags & Readonly<Record<string, unknown>>;

/** Runs a program as a cluster in this process, which is the primary. Of an app of Node.js it runs again in each of the instances. */
export async function start(given: string | undefined, args: readonly string[], flags: StartFlags): Promise<void> {
  const planned = await plan(given, flags);
  if (planned.kind === "front") return runFront(planned.config, flags, { planned });
  const place = await placeOf(withFlags({ ...defaultsOf(planned, flags), ...planned.config }, flags), flags);
  if (place.kind === "elsewhere") return;
  const { background, replaceable } = place;
  let started: Cluster | undefined;
  let made: OutputWriter | Detached | undefined = background;
  // In an instance there is none, and its standard output is left alone.
  const writer = () => (made ??= new OutputWriter((held) => started?.role === "primary" && started.holdOutput(held)));
  let timestamps = false;
  const traces = new OwnTraces(import.meta.url);
  const output = new StartOutput((line) => {
    if (traces.isOne(line)) return;
    const time = timestamps ? `${new Date(systemWallClock()).toISOString()} ` : "";
    writer().line(line.stream, time + labelled(line, process[line.stream]));
  });
  const toWriter = (line: OutputLine) => output.line(line);
  let current: Runnable = planned;
  const env = programEnvironment(() => current, flags);
  const optionsOf = (of: StartPlan): ClusterOptions => {
    const log = unfolded(of.config.log);
    const flagged = withFlags(
      {
        ...defaultsOf(of, flags),
        output: toWriter,
        ...of.config,
        log: background === undefined ? log : timed(log),
        ...(typeof of.config.admin === "number" && { admin: { port: of.config.admin } }),
        env,
      },
      flags,
    );
    const wanted =
      flags["https"] === undefined ? flagged : withHttps(flagged, { configured: of.config.https, env: process.env });
    timestamps = typeof wanted.log === "object" && wanted.log.timestamps === true;
    return {
      ...wanted,
      log: logThrough((text, entry) => {
        writer().line("stderr", text);
        place.said(entry);
      }, wanted.log),
      ...(background !== undefined && {
        output: loggedOutput(wanted.output, toWriter),
        ...loggedAccess(wanted.accessLog, background),
      }),
    };
  };
  const options = optionsOf(planned);
  const patience = systemClock.after(heldOutputMs, () => output.end());
  try {
    started = await run(options, { planned, args, replaceable });
    patience.cancel();
    output.end();
    place.hasTakenOver();
    if (started.role === "primary") background?.ready(started);
    if (started instanceof Primary) {
      const adopted = (other: StartPlan) => {
        if (other.kind !== "front") current = other;
      };
      const file = planned.configFile;
      started.isConfiguredBy(startedConfiguration({ planned, file, flags, optionsOf, adopted }));
    }
    // A terminal is its user's alone, which a log may not be.
    const link = started.role === "primary" ? started.dashboard : undefined;
    if (link !== undefined && background === undefined && process.stderr.isTTY)
      writer().line("stderr", `dashboard: ${link}`);
  } catch (error) {
    patience.cancel();
    output.failed(error instanceof StartError ? error.instance : undefined);
    await background?.close();
    throw error instanceof OptionError ? ofFlag(error, flags) : withFlagNames(error);
  }
}

interface Run {
  readonly planned: Runnable;
  readonly args: readonly string[];
  readonly replaceable: Replaceable | undefined;
}

function run(options: ClusterOptions, { planned, args, replaceable }: Run): Promise<Cluster> {
  if (planned.kind !== "app") return replaceableCluster(options, undefined, replaceable);
  const given = args.length > 0 ? args : planned.args;
  return replaceableCluster(options, (instance) => startUnmodifiedApp(planned.entry, given, instance), replaceable);
}

/** An option that came from a flag is named as that. */
function ofFlag(error: OptionError, flags: StartFlags): Error {
  const flag = flagOf(error.option, flags);
  return flag === undefined ? error : new CliError(error.message.replace(`Option "${error.option}"`, flag), 2);
}

/** A remedy that is an option of `cluster()` is a flag here. */
function withFlagNames(error: unknown): unknown {
  if (!(error instanceof LbError)) return error;
  error.message = error.message.replace(
    /the option "([\w.]+)(?:\[\d+\])?"/g,
    (text, option: string) => flagFor(option) ?? text,
  );
  return error;
}
