import { existsSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { logicalDirectory, logicalPath } from "../cluster/logical-directory.ts";
import { printable } from "../log/printable.ts";
import { unended } from "../log/words.ts";
import type { AppOptions } from "../options/app-options.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import type { ExecOptions } from "../options/exec-options.ts";
import { CliError } from "./cli-error.ts";
import { type ConfigFile, type LbConfig, readConfigFile } from "./config-file.ts";
import { Pm2ConfigError } from "./pm2-app.ts";
import { importPm2Config, isPm2Config } from "./pm2-config.ts";
import { resolveEntry } from "./resolve-entry.ts";
import { takeEntry } from "./started-entry.ts";

/** What is to be run, and how, as far as a configuration says it. */
export type StartPlan =
  | {
      readonly kind: "app";
      /** The program's absolute path. */
      readonly entry: string;
      /** The same as it was given, by way of whatever links lead there. */
      readonly wanted: string;
      readonly args: readonly string[];
      readonly config: ClusterOptions;
      /** Where that was read. */
      readonly configFile: string | undefined;
    }
  /** The configuration has its `exec`, or the flags do. */
  | { readonly kind: "program"; readonly config: ClusterOptions; readonly configFile: string | undefined }
  /** It has nothing but `apps`, each of which says what it runs; `name`: what they are called together. */
  | {
      readonly kind: "apps";
      readonly name: string;
      readonly config: ClusterOptions;
      readonly configFile: string | undefined;
    }
  /** There is nothing to be run: the configuration's routes take all there is. */
  | { readonly kind: "front"; readonly config: ClusterOptions; readonly configFile: string | undefined };

export interface PlanFlags {
  readonly config?: string | undefined;
  readonly only?: string | undefined;
  readonly env?: string | undefined;
  readonly exec?: string | undefined;
}

/** @throws CliError */
export async function plan(
  given: string | undefined,
  { config: named, only, env, exec }: PlanFlags,
): Promise<StartPlan> {
  // As with PM2, its file may stand where the program does.
  const isFile = given !== undefined && /\.config\.[cm]?[jt]s$|\.json$/.test(given);
  const file = await readConfigFile(isFile ? given : named);
  const {
    entry: configured,
    args,
    deploy: _deploy,
    ...config
  } = file === undefined ? {} : optionsOf(file, { only, env });
  const configFile = file && asMeant(file.path);
  const wanted = given === undefined || isFile ? configured : given;
  if (exec !== undefined || (config.exec !== undefined && wanted === undefined)) {
    if (given !== undefined && !isFile) throw bothGiven(given);
    return { kind: "program", config, configFile };
  }
  if (config.exec !== undefined && wanted === configured) {
    const remedy = "leave one out, or choose with lb start <entry> or --exec";
    throw new CliError(`The configuration ${file!.path} has both an \`entry\` and \`exec\`: ${remedy}.`, 2);
  }
  if (wanted === undefined && (config.apps?.length ?? 0) > 0) {
    const folder = dirname(file!.path);
    return { kind: "apps", name: basename(folder) || "apps", config, configFile };
  }
  if (wanted === undefined && (config.routes?.length ?? 0) > 0) return { kind: "front", config, configFile };
  if (wanted === undefined) throw nothingToRun(file);
  const { path, args: ofPackage } = takeEntry(process.env) ?? resolveEntry(wanted);
  const { exec: _, ...options } = config;
  return { kind: "app", entry: path, wanted: asMeant(wanted), args: args ?? ofPackage, config: options, configFile };
}

/** Absolute, by way of the links by which the working directory was meant. */
function asMeant(path: string): string {
  const cwd = process.cwd();
  return logicalPath(resolve(path), cwd, logicalDirectory(cwd, process.env["PWD"]));
}

function bothGiven(given: string): CliError {
  const remedy = 'What belongs to its command goes into the quotes: lb start --exec "<command> <arguments>".';
  return new CliError(`Give an app (${printable(given)}), or another program with --exec, not both. ${remedy}`, 2);
}

function nothingToRun(file: ConfigFile | undefined): CliError {
  if (file !== undefined)
    return new CliError(
      `The configuration ${file.path} has no \`entry\`: say what to run there, or with lb start <entry>.`,
      2,
    );
  const here = existsSync("package.json") ? "; `lb start .` runs the package in this directory" : "";
  return new CliError(`Say what to run: lb start <entry>, or \`entry\` in lb.config.*${here}.`, 2);
}

/** So that flags can change a part of it; where it runs is said from where the file is. */
function execIn(folder: string, exec: NonNullable<ClusterOptions["exec"]>): NonNullable<ClusterOptions["exec"]> {
  if (typeof exec === "string" || Array.isArray(exec)) return { command: exec as string };
  const { cwd } = exec as ExecOptions;
  return typeof cwd === "string" ? { ...(exec as ExecOptions), cwd: asMeant(resolve(folder, cwd)) } : exec;
}

/** What is no path is left for whoever checks the options. */
function filesIn(folder: string, files: string | readonly string[]): readonly string[] {
  return [files]
    .flat()
    .map((file) => (typeof file === "string" && file !== "" ? asMeant(resolve(folder, file)) : file));
}

/** Of one app of several, or a backend: where it runs is said from where the file is, and the program from there. */
function runIn<Ran extends Pick<AppOptions, "entry" | "args" | "exec" | "cwd">>(folder: string, ran: Ran): Ran {
  const { entry, exec, cwd } = ran;
  const at = typeof cwd === "string" ? asMeant(resolve(folder, cwd)) : undefined;
  const meant = typeof entry === "string" ? asMeant(resolve(at ?? folder, entry)) : undefined;
  const found = meant === undefined ? undefined : resolveEntry(meant);
  // By way of links where it is the file itself, so that a reload goes where they lead then.
  const isFile = meant !== undefined && statSync(meant, { throwIfNoEntry: false })?.isFile() === true;
  return {
    ...ran,
    ...(at !== undefined && { cwd: at }),
    ...(found !== undefined && { entry: isFile ? meant : found.path, args: ran.args ?? found.args }),
    ...(exec !== undefined && { exec: execIn(folder, exec) }),
  };
}

/** Its entry is an absolute path. */
function optionsOf({ path, content }: ConfigFile, choice: Pick<PlanFlags, "only" | "env">): LbConfig {
  const folder = dirname(path);
  if (!isPm2Config(content)) {
    const config = content as LbConfig;
    const { entry, exec, envFile, apps, backends } = config;
    return {
      ...config,
      ...(envFile !== undefined && { envFile: filesIn(folder, envFile) }),
      ...(Array.isArray(apps) && { apps: apps.map((app) => runIn(folder, app)) }),
      ...(typeof backends === "object" &&
        backends !== null && {
          backends: Object.fromEntries(Object.entries(backends).map(([name, one]) => [name, runIn(folder, one)])),
        }),
      ...(entry !== undefined && { entry: resolve(folder, entry) }),
      ...(exec !== undefined && { exec: execIn(folder, exec) }),
    };
  }
  try {
    const { config, cwd, warnings } = importPm2Config(content, choice);
    const at = cwd === undefined ? folder : resolve(folder, cwd);
    // The instances read the file too, from where the primary was started, and go where the app is to run.
    if (process.env["INSTANCE_ID"] !== undefined) process.chdir(at);
    else for (const warning of warnings) console.error(`${basename(path)}: ${warning}`);
    const { entry, exec, apps } = config;
    if (apps !== undefined)
      return { ...config, apps: apps.map((app) => runIn(folder, { ...app, cwd: app.cwd ?? "." })) };
    if (exec !== undefined) return { ...config, exec: { ...(exec as ExecOptions), cwd: at } };
    return { ...config, entry: resolve(at, entry!) };
  } catch (error) {
    if (!(error instanceof Pm2ConfigError)) throw error;
    throw new CliError(`The configuration ${path} cannot be used: ${unended(error.message)}.`, 2);
  }
}
