import { existsSync } from "node:fs";
import { basename } from "node:path";
import type { AffinityOptions } from "../affinity/settings.ts";
import { type Cluster, cluster } from "../cluster.ts";
import { type LogOption, logSchema } from "../log-options.ts";
import { rendering } from "../open-log.ts";
import type { ClusterOptions } from "../options.ts";
import type { StrategyName } from "../strategies/index.ts";
import { parseOptions } from "../validation.ts";
import { CliError } from "./cli-error.ts";
import { labelled, OutputWriter } from "./output-writer.ts";
import { plan } from "./start-plan.ts";
import { startUnmodifiedApp } from "./unmodified-app.ts";

export interface StartFlags {
  readonly instances?: string;
  readonly port?: string;
  readonly host?: string;
  readonly mode?: string;
  readonly strategy?: string;
  readonly affinity?: string;
  readonly name?: string;
  readonly config?: string;
  /** Of PM2's file: which app, and which of its environments. */
  readonly only?: string;
  readonly env?: string;
}

/** Runs a program as a cluster in this process, which is the primary. Runs again in each of its workers. */
export async function start(given: string | undefined, args: readonly string[], flags: StartFlags): Promise<void> {
  const { entry, ...planned } = await plan(given, flags);
  if (!existsSync(entry)) throw new CliError(`There is no file ${entry}.`, 2);
  let started: Cluster | undefined;
  let made: OutputWriter | undefined;
  // In an instance there is none, and its standard output is left alone.
  const writer = () => (made ??= new OutputWriter((held) => started?.role === "primary" && started.holdOutput(held)));
  const wanted: ClusterOptions = {
    name: basename(entry).replace(/\.[^.]+$/, ""),
    socketIo: true,
    output: (line) => writer().line(line.stream, labelled(line)),
    ...planned.config,
    ...optionsOf(flags),
  };
  const options = { ...wanted, log: logThrough((text) => writer().line("stderr", text), wanted.log) };
  started = await cluster(options, (instance) =>
    startUnmodifiedApp(entry, args.length > 0 ? args : planned.args, instance),
  );
}

/** The log is written where the instances' lines are, and in order with them. */
function logThrough(write: (text: string) => void, log: LogOption = "text"): LogOption {
  const settings = parseOptions(logSchema, log, "log");
  if (settings === undefined) return false;
  if ("write" in settings) return settings.write;
  const render = rendering(settings);
  return (entry) => write(render(entry));
}

/** Only what was given, so that the configuration holds for the rest. */
function optionsOf({ instances, port, host, mode, strategy, affinity, name }: StartFlags): ClusterOptions {
  return {
    ...(instances === undefined ? {} : { instances: instances === "auto" ? instances : Number(instances) }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(host === undefined ? {} : { host }),
    ...(mode === undefined ? {} : { mode: mode as "proxy" }),
    ...(strategy === undefined ? {} : { strategy: strategy as StrategyName }),
    ...(affinity === undefined ? {} : { affinity: affinityOf(affinity) }),
    ...(name === undefined ? {} : { name }),
  };
}

/** `cookie`, `ip`, `socket.io`, `header:<name>`, `query:<name>`, or several with commas between them. */
function affinityOf(text: string): AffinityOptions {
  const rules = text.split(",").map((rule) => {
    const [kind, value] = rule.split(":", 2) as [string, string?];
    return (value === undefined ? kind : { [kind]: value }) as Exclude<AffinityOptions, readonly unknown[]>;
  });
  return rules.length === 1 ? rules[0]! : rules;
}
