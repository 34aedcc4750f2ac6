import { availableParallelism } from "node:os";
import type { GroupLife } from "../options/backend-program-options.ts";
import type { Variables } from "../options/environment-options.ts";
import type { LbConfig } from "./config-file.ts";
import { pm2Program } from "./pm2-program.ts";

/** The file cannot be used; the message says why. */
export class Pm2ConfigError extends Error {}

/** An app of PM2's file, as it is written. */
export type App = Readonly<Record<string, unknown>>;

/** The same in our words. */
export interface ReadApp {
  readonly name: string | undefined;
  /** A file for Node.js, or the words of another program. */
  readonly runs:
    | { readonly script: string; readonly args: readonly string[] | undefined; readonly nodeArgs: readonly string[] }
    | { readonly command: readonly string[] };
  readonly cwd: string | undefined;
  /** What PM2 would have it listen at. Undefined: that is the app's affair. */
  readonly port: number | undefined;
  /** As a cluster and an app of several have them alike. */
  readonly options: Pick<LbConfig, "instances" | "maxMemoryMb" | keyof GroupLife> & { readonly env?: Variables };
  readonly timestamps: boolean;
  /** What it asks for that has no counterpart, and why or what there is instead. */
  readonly warnings: readonly string[];
}

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
  error_file: "standard error goes where that of `lb start` goes: redirect it there, or use `lb logs`",
  out_file: "standard output goes where that of `lb start` goes: redirect it there, or use `lb logs`",
  log_file: "output goes where that of `lb start` goes: redirect it there, or use `lb logs`",
  merge_logs: "output is one stream, with the instance's number before each line",
  log_date_format: "`--timestamps` puts the time before each line, in the form of ISO 8601",
  interpreter: "instances run in the Node.js that runs `lb`",
  exp_backoff_restart_delay: "the time before an attempt doubles by itself; see restart.maxDelayMs",
  uid: "run `lb start` as that user, e.g. with User= in a systemd unit",
  gid: "run `lb start` as that group, e.g. with Group= in a systemd unit",
  user: "run `lb start` as that user, e.g. with User= in a systemd unit",
  source_map_support: "use NODE_OPTIONS=--enable-source-maps",
  port: "",
};

/** `env`: adds the variables of `env_<name>`. @throws Pm2ConfigError */
export function readApp(app: App, env: string | undefined): ReadApp {
  const warnings: string[] = [];
  const script = text(app["script"]);
  if (script === undefined) throw new Pm2ConfigError(`its app ${nameOf(app)} has no script`);
  const { PORT: port, ...variables } = variablesOf(app, env, warnings);
  const restart = restartOf(app);
  const args = argumentsOf(app["args"]);
  const nodeArgs = argumentsOf(app["node_args"] ?? app["interpreter_args"]) ?? [];
  const command = pm2Program({
    script,
    interpreter: text(app["interpreter"] ?? app["exec_interpreter"]),
    interpreterArgs: argumentsOf(app["interpreter_args"]) ?? [],
    args: args ?? [],
  });
  const options: { -readonly [Key in keyof ReadApp["options"]]: ReadApp["options"][Key] | undefined } = {
    instances: instancesOf(app),
    env: Object.keys(variables).length === 0 ? undefined : variables,
    maxMemoryMb: app["max_memory_restart"] === undefined ? undefined : megabytes(app["max_memory_restart"]),
    drainTimeoutMs: whole(app["kill_timeout"]),
    startTimeoutMs: whole(app["listen_timeout"]),
    // What PM2 sends.
    stopSignal: app["shutdown_with_message"] === true && command === undefined ? "message" : "SIGINT",
    waitReady: app["wait_ready"] === true && command === undefined ? true : undefined,
    restart: Object.keys(restart).length === 0 ? undefined : restart,
    stopExitCodes: stopExitCodes(app),
    restartCron: text(app["cron_restart"]),
  };
  for (const [option, value] of Object.entries(app)) {
    if (silent.has(option) || taken.has(option) || option.startsWith("env_") || value === undefined) continue;
    if (command !== undefined && ofInterpreter.has(option)) continue;
    if (value === false) continue;
    const remedy = counterparts[option];
    if (remedy !== "") warnings.push(`${option} has no counterpart${remedy === undefined ? "" : `: ${remedy}`}`);
  }
  if (app["exec_mode"] !== "cluster" && app["exec_mode"] !== "cluster_mode" && (options.instances ?? 1) !== 1) {
    warnings.push('the instances share one public port, as in exec_mode "cluster"');
  }
  return {
    name: text(app["name"]),
    runs: command === undefined ? { script, args, nodeArgs } : { command },
    cwd: text(app["cwd"]),
    port: whole(port ?? app["port"]),
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    timestamps: app["time"] === true,
    warnings,
  };
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
  "autorestart",
  "stop_exit_codes",
  "cron_restart",
  "node_args",
  "interpreter_args",
]);

export function nameOf(app: App): string {
  return text(app["name"]) ?? text(app["script"]) ?? "(without a name)";
}

/** With `autorestart: false` whoever ends by itself stays so, whatever the code. */
function stopExitCodes(app: App): readonly number[] | undefined {
  if (app["autorestart"] === false) return Array.from({ length: 256 }, (_, code) => code);
  const codes = [app["stop_exit_codes"] ?? []].flat().map(Number);
  const isCode = (code: number) => Number.isInteger(code) && code >= 0 && code <= 255;
  if (!codes.every(isCode)) throw new Pm2ConfigError(`stop_exit_codes is ${JSON.stringify(app["stop_exit_codes"])}`);
  return codes.length === 0 ? undefined : codes;
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

export function isObject(value: unknown): value is App {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
