import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { AffinityOptions } from "../affinity/settings.ts";
import { cluster } from "../cluster.ts";
import type { ClusterOptions } from "../options.ts";
import type { StrategyName } from "../strategies/index.ts";
import { CliError } from "./cli-error.ts";
import { readConfig } from "./config-file.ts";
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
}

/** Runs a program as a cluster in this process, which is the primary. Runs again in each of its workers. */
export async function start(given: string | undefined, args: readonly string[], flags: StartFlags): Promise<void> {
  const { entry: configured, args: configuredArgs = [], ...config } = await readConfig(flags.config);
  const from = flags.config === undefined ? "." : dirname(flags.config);
  const entry = given === undefined ? configured && resolve(from, configured) : resolve(given);
  if (entry === undefined) throw new CliError("Say what to run: lb start <entry>, or `entry` in lb.config.*", 2);
  if (!existsSync(entry)) throw new CliError(`There is no file ${entry}.`, 2);
  const options: ClusterOptions = { name: basename(entry).replace(/\.[^.]+$/, ""), ...config, ...optionsOf(flags) };
  const started = await cluster(options, (instance) =>
    startUnmodifiedApp(entry, args.length > 0 ? args : configuredArgs, instance),
  );
  if (started.role === "worker") return;
  const { name, instances, mode } = started.status();
  console.log(
    `${name} listens on ${started.url} with ${instances.length} instance(s), ${mode} mode, pid ${process.pid}`,
  );
  started.on("exit", ({ instance, reason, exitCode, signal }) => {
    if (reason === "crashed")
      console.error(`instance ${instance} ended (${signal ?? `exit code ${exitCode}`}) and is replaced`);
  });
  started.on("start-failed", ({ instance, error }) =>
    console.error(`instance ${instance} could not start: ${error.message}`),
  );
  started.on("crash-loop", ({ instance, deaths, retryInMs }) => {
    console.error(
      `instance ${instance} died ${deaths} times in a row; the next attempt comes in ${Math.round(retryInMs / 1_000)} s`,
    );
  });
  started.on("unresponsive", ({ instance, silentMs }) =>
    console.error(`instance ${instance} has been silent for ${silentMs} ms`),
  );
  started.on("hub-overflow", ({ instance, queuedBytes }) =>
    console.error(
      `instance ${instance} did not read ${queuedBytes} bytes from others, and has to connect to them anew`,
    ),
  );
  started.on("reload", ({ step, total, error }) => {
    if (step === "rolled-back") console.error(error!.message);
    if (step === "finished")
      console.log(total === 1 ? "one instance was replaced" : `${total} instances were replaced`);
  });
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
