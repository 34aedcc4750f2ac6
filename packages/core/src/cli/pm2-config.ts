import { availableParallelism } from "node:os";
import type { LbConfig } from "./config-file.ts";
import { pm2Program } from "./pm2-program.ts";

/** An ecosystem file of PM2, as options of ours. */
export interface ImportedConfig {
  readonly config: LbConfig;
  /** Where to run it. */
  readonly cwd: string | undefined;
  /** What it asks for that has no counterpart, and why or what there is instead. */
  readonly warnings: readonly string[];
}

export interface ImportOptions {
  /** Which of several apps. */
  readonly only?: string | undefined;
  /** Adds the variables of `env_<name>`. */
  readonly env?: string | undefined;
}

/** The file cannot be used; the message says why. */
export class Pm2ConfigError extends Error {}

/** It has its apps under `apps` (or `pm2`), is a list of them, or is one itself. */
export function isPm2Config(config: object): boolean {
  return Array.isArray(config) || ["apps", "pm2", "script"].some((key) => Object.hasOwn(config, key));
}

function appsIn(file: object): readonly App[] {
  const { apps, pm2 } = file as { readonly apps?: unknown; readonly pm2?: unknown };
  return [apps ?? pm2 ?? file].flat().filter(isObject);
}

type App = Readonly<Record<string, unknown>>;

/** Options with nothing to be said about: what they do is done anyway, or is of PM2's own. */
const silent = new Set([
  "name",
  "namespace",
  "exec_mode",
  "instance_var",
  "pmx",
  "vizion",
  "automation",
  "treekill",
  "force",
]);

/** What else there is. */
const counterparts: Readonly<Record<string, string>> = {
  watch: "nothing watches files: run `lb reload`, or `node --watch` while developing",
  ignore_watch: "nothing watches files",
  cron_restart: "nothing restarts by the clock: run `lb reload` from cron or a systemd timer",
  autorestart: "instances that die are always replaced",
  error_file: "standard error goes where that of `lb start` goes: redirect it there, or use `lb logs`",
  out_file: "standard output goes where that of `lb start` goes: redirect it there, or use `lb logs`",
  log_file: "output goes where that of `lb start` goes: redirect it there, or use `lb logs`",
  merge_logs: "output is one stream, with the instance's number before each line",
  log_date_format: "`--timestamps` puts the time before each line, in the form of ISO 8601",
  interpreter: "instances run in the Node.js that runs `lb`",
  interpreter_args: "give the flags to Node.js: NODE_OPTIONS, or `node --flag …/lb start`",
  node_args: "give the flags to Node.js: NODE_OPTIONS, or `node --flag …/lb start`",
  exp_backoff_restart_delay: "the time before an attempt doubles by itself; see restart.maxDelayMs",
  uid: "run `lb start` as that user, e.g. with User= in a systemd unit",
  gid: "run `lb start` as that group, e.g. with Group= in a systemd unit",
  user: "run `lb start` as that user, e.g. with User= in a systemd unit",
  source_map_support: "use NODE_OPTIONS=--enable-source-maps",
  port: "",
};

/** @throws Pm2ConfigError if it is not clear which app is meant, or what it runs */
export function importPm2Config(file: object, { only, env }: ImportOptions): ImportedConfig {
  const app = chosenApp(file, only);
  const warnings: string[] = [];
  const script = text(app["script"]);
  if (script === undefined) throw new Pm2ConfigError(`its app ${nameOf(app)} has no script`);
  const { PORT: port, ...variables } = variablesOf(app, env, warnings);
  const restart = restartOf(app);
  const maxMemoryMb = app["max_memory_restart"] === undefined ? undefined : megabytes(app["max_memory_restart"]);
  const args = argumentsOf(app["args"]);
  const command = pm2Program({
    script,
    interpreter: text(app["interpreter"] ?? app["exec_interpreter"]),
    interpreterArgs: argumentsOf(app["interpreter_args"]) ?? [],
    args: args ?? [],
  });
  const given: { -readonly [Key in keyof LbConfig]: LbConfig[Key] | undefined } = {
    ...(command === undefined ? { entry: script, args } : { exec: { command } }),
    name: text(app["name"]),
    instances: instancesOf(app),
    port: whole(port ?? app["port"]),
    env: Object.keys(variables).length === 0 ? undefined : variables,
    maxMemoryMb,
    drainTimeoutMs: whole(app["kill_timeout"]),
    startTimeoutMs: whole(app["listen_timeout"]),
    // What PM2 sends.
    stopSignal: app["shutdown_with_message"] === true ? "message" : "SIGINT",
    waitReady: app["wait_ready"] === true && command === undefined ? true : undefined,
    log: app["time"] === true ? { timestamps: true } : undefined,
    restart: Object.keys(restart).length === 0 ? undefined : restart,
  };
  for (const [option, value] of Object.entries(app)) {
    if (silent.has(option) || taken.has(option) || option.startsWith("env_") || value === undefined) continue;
    if (command !== undefined && ofInterpreter.has(option)) continue;
    if (value === false && option !== "autorestart") continue;
    if (option === "autorestart" && value === true) continue;
    const remedy = counterparts[option];
    if (remedy !== "") warnings.push(`${option} has no counterpart${remedy === undefined ? "" : `: ${remedy}`}`);
  }
  if (app["exec_mode"] !== "cluster" && app["exec_mode"] !== "cluster_mode" && (given.instances ?? 1) !== 1) {
    warnings.push('the instances share one public port, as in exec_mode "cluster"');
  }
  const config = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as LbConfig;
  return { config, cwd: text(app["cwd"]), warnings };
}

/** Of a program that is not of Node.js these are made into ours too. */
const ofInterpreter = new Set(["interpreter", "exec_interpreter", "interpreter_args"]);

/** Options that are made into ours. */
const taken = new Set([
  "script",
  "instances",
  "args",
  "env",
  "cwd",
  "max_memory_restart",
  "kill_timeout",
  "listen_timeout",
  "wait_ready",
  "shutdown_with_message",
  "time",
  "max_restarts",
  "restart_delay",
  "min_uptime",
]);

function chosenApp(file: object, only: string | undefined): App {
  const apps = appsIn(file);
  const names = apps.map(nameOf).join(", ");
  const matching = only === undefined ? apps : apps.filter((app) => nameOf(app) === only);
  const [app, another] = matching;
  if (app === undefined)
    throw new Pm2ConfigError(only === undefined ? "it has no apps" : `it has no app ${only}, but ${names}`);
  if (another !== undefined) throw new Pm2ConfigError(`it has several apps: choose one with --only (${names})`);
  return app;
}

function nameOf(app: App): string {
  return text(app["name"]) ?? text(app["script"]) ?? "(without a name)";
}

function instancesOf(app: App): number | "auto" {
  const instances = app["instances"] ?? 1;
  if (instances === "max" || Number(instances) === 0) return "auto";
  const count = Number(instances);
  if (!Number.isInteger(count))
    throw new Pm2ConfigError(`instances is ${JSON.stringify(instances)}, which is no number`);
  return count > 0 ? count : Math.max(1, availableParallelism() + count);
}

function argumentsOf(args: unknown): readonly string[] | undefined {
  if (Array.isArray(args)) return args.map(String);
  return text(args)
    ?.split(/\s+/)
    .filter((word) => word !== "");
}

function variablesOf(app: App, env: string | undefined, warnings: string[]): Record<string, string> {
  const layers = [app["env"], env === undefined ? undefined : app[`env_${env}`]];
  if (env !== undefined && layers[1] === undefined) {
    const known = Object.keys(app)
      .filter((key) => key.startsWith("env_"))
      .map((key) => key.slice("env_".length));
    throw new Pm2ConfigError(`it has no env_${env}${known.length === 0 ? "" : `, but ${known.join(", ")}`}`);
  }
  const variables: Record<string, string> = {};
  for (const layer of layers.filter(isObject)) {
    for (const [name, value] of Object.entries(layer)) {
      if (["HOST", "INSTANCE_ID", "NODE_APP_INSTANCE"].includes(name)) {
        warnings.push(`the variable ${name} is not taken over: each instance gets its own`);
      } else if (value !== undefined && value !== null) variables[name] = String(value);
    }
  }
  return variables;
}

function restartOf(app: App): NonNullable<LbConfig["restart"]> {
  const minUptime = app["min_uptime"];
  return {
    ...(whole(app["max_restarts"]) === undefined ? {} : { maxCrashes: whole(app["max_restarts"])! }),
    ...(whole(app["restart_delay"]) === undefined ? {} : { delayMs: whole(app["restart_delay"])! }),
    ...(minUptime === undefined ? {} : { stableAfterMs: duration(minUptime) }),
  };
}

/** `"300M"`, `"1G"`, `"512K"`, or a number of bytes. */
function megabytes(size: unknown): number {
  const [, digits, unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([KMG]?)B?\s*$/i.exec(String(size)) ?? [];
  if (digits === undefined) throw new Pm2ConfigError(`max_memory_restart is ${JSON.stringify(size)}, which is no size`);
  const bytes = Number(digits) * { "": 1, K: 1_024, M: 1_048_576, G: 1_073_741_824 }[unit.toUpperCase() as "K"]!;
  return Math.max(16, Math.round(bytes / 1_048_576));
}

/** `"60s"`, `"5m"`, `"1h"`, or milliseconds. */
function duration(span: unknown): number {
  const [, digits, unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*(s|m|h|)\s*$/i.exec(String(span)) ?? [];
  if (digits === undefined) throw new Pm2ConfigError(`min_uptime is ${JSON.stringify(span)}, which is no time`);
  return Math.round(Number(digits) * { "": 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit.toLowerCase() as "s"]!);
}

function whole(value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const number = Number(value);
  return Number.isInteger(number) && number >= 0 ? number : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function isObject(value: unknown): value is App {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
