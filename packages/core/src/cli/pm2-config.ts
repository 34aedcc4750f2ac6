import type { AppOptions } from "../options/app-options.ts";
import type { LbConfig } from "./config-file.ts";
import { type App, isObject, nameOf, Pm2ConfigError, type ReadApp, readApp } from "./pm2-app.ts";

/** An ecosystem file of PM2, as options of ours. */
export interface ImportedConfig {
  readonly config: LbConfig;
  /** Where to run it. Of several apps each says so itself. */
  readonly cwd: string | undefined;
  /** What it asks for that has no counterpart, and why or what there is instead. */
  readonly warnings: readonly string[];
}

export interface ImportOptions {
  /** Which of several apps, with commas between them. */
  readonly only?: string | undefined;
  /** Adds the variables of `env_<name>`. */
  readonly env?: string | undefined;
}

/** It has its apps under `apps` (or `pm2`), is a list of them, or is one itself. Apps of ours have an `entry`, or `exec`, and no `script`. */
export function isPm2Config(config: object): boolean {
  if (Array.isArray(config) || ["pm2", "script"].some((key) => Object.hasOwn(config, key))) return true;
  if (!Object.hasOwn(config, "apps")) return false;
  return !appsIn(config).some((app) => "entry" in app || "exec" in app);
}

function appsIn(file: object): readonly App[] {
  const { apps, pm2 } = file as { readonly apps?: unknown; readonly pm2?: unknown };
  return [apps ?? pm2 ?? file].flat().filter(isObject);
}

/** One app is the cluster's, several are apps of one cluster. @throws Pm2ConfigError if it is not clear what is to be run */
export function importPm2Config(file: object, { only, env }: ImportOptions): ImportedConfig {
  const chosen = chosenApps(file, only);
  const read = chosen.map((app) => readApp(app, env));
  const [first, second] = read;
  return second === undefined ? alone(first!) : together(read);
}

function alone({ name, runs, cwd, port, options, timestamps, warnings }: ReadApp): ImportedConfig {
  const given: { -readonly [Key in keyof LbConfig]: LbConfig[Key] | undefined } = {
    ...("command" in runs ? { exec: { command: runs.command } } : { entry: runs.script, args: runs.args }),
    ...options,
    name,
    port,
    log: timestamps ? { timestamps: true } : undefined,
  };
  const config = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as LbConfig;
  const ofNode = "nodeArgs" in runs && runs.nodeArgs.length > 0;
  const remedy = "give the flags to Node.js: NODE_OPTIONS, or `node --flag …/lb start`";
  return { config, cwd, warnings: ofNode ? [...warnings, `node_args has no counterpart: ${remedy}`] : warnings };
}

/**
 * Each app listens at the port of its own that `PORT` says. One that is not told any is run as PM2 runs it: what it opens by itself
 * is opened once for its instances, and no request is routed to it.
 */
function together(read: readonly ReadApp[]): ImportedConfig {
  const names = new Set<string>();
  const all: string[] = [];
  const apps = read.map(({ name: given, runs, cwd, port, options, warnings }): AppOptions => {
    const name = nameFor(given ?? "", names);
    names.add(name);
    const said = [
      ...(given === undefined || given === name ? [] : [`it is called ${name} here`]),
      ...(port === undefined
        ? ["without a PORT it gets no requests here; ports that it opens itself its instances share"]
        : []),
      ...warnings,
    ];
    all.push(...said.map((warning) => `${name}: ${warning}`));
    return {
      name,
      ...("command" in runs
        ? { exec: { command: runs.command } }
        : {
            entry: runs.script,
            ...(runs.args !== undefined && { args: runs.args }),
            ...(runs.nodeArgs.length > 0 && { nodeArgs: runs.nodeArgs }),
          }),
      ...(cwd !== undefined && { cwd }),
      ...options,
      ...(port === undefined ? { kind: "worker" } : { port }),
    };
  });
  const timestamps = read.some((one) => one.timestamps);
  return { config: { apps, ...(timestamps && { log: { timestamps: true } }) }, cwd: undefined, warnings: all };
}

/** By which commands can name it, and no other app is called. */
function nameFor(given: string, taken: ReadonlySet<string>): string {
  const plain = given
    .replace(/[^\w-]+/g, "-")
    .replace(/^[^A-Za-z]+/, "")
    .slice(0, 60);
  const base = plain === "" ? "app-1" : plain === "app" || plain === "all" ? `${plain}-1` : plain;
  for (let number = 2, name = base; ; number += 1) {
    if (!taken.has(name)) return name;
    name = `${base}-${number}`;
  }
}

function chosenApps(file: object, only: string | undefined): readonly App[] {
  const apps = appsIn(file);
  const names = apps.map(nameOf);
  if (only === undefined) {
    if (apps.length === 0) throw new Pm2ConfigError("it has no apps");
    return apps;
  }
  const wanted = only.split(",").map((name) => name.trim());
  const missing = wanted.find((name) => !names.includes(name));
  if (missing !== undefined) throw new Pm2ConfigError(`it has no app ${missing}, but ${names.join(", ")}`);
  return apps.filter((app) => wanted.includes(nameOf(app)));
}
