import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { brokenReferences, readEnvFiles } from "../../cluster/references.ts";
import { unended } from "../../log/words.ts";
import { LbError, type OptionError } from "../../model/errors.ts";
import { systemRandom } from "../../model/random.ts";
import type { ClusterOptions } from "../../options/cluster-options.ts";
import { clusterOptionErrors, parseClusterOptions, type Surroundings } from "../../options/cluster-settings.ts";
import { deploySchema } from "../../options/deploy-options.ts";
import { optionErrors } from "../../options/validation.ts";
import { CliError } from "../cli-error.ts";
import { type ConfigFile, type LbConfig, readConfigFile } from "../config-file.ts";
import { plannedOptions } from "../planned-options.ts";
import { isPm2Config } from "../pm2-config.ts";
import { type PlanFlags, plan, type StartPlan } from "../start-plan.ts";

/** Something that is wrong with a configuration. */
export interface ConfigFault {
  /**
   * - `file`: it cannot be read, or does not say what to run;
   * - `option`: a value that cannot be used;
   * - `reference`: what it names is not there, or not as it has to be.
   */
  readonly kind: "file" | "option" | "reference";
  /** Where it is: `"routes[2].to"`; `null`: in no single one. */
  readonly option: string | null;
  /** What it is, as it may be shown. */
  readonly value: string | null;
  readonly what: string;
}

/** What came of looking at a configuration. */
export interface ConfigCheck {
  readonly file: string;
  readonly faults: readonly ConfigFault[];
  /** The options with which `lb start` would run it, as far as they are known. */
  readonly options: ClusterOptions;
}

/**
 * Looks for all that is wrong with a configuration, without starting anything: what `lb start` would say of it, and not only the first.
 *
 * @throws CliError if there is none
 */
export async function checkConfig(given: string | undefined, flags: PlanFlags = {}): Promise<ConfigCheck> {
  const found = await read(given);
  if ("faults" in found) return { ...found, options: {} };
  const { file, path } = found;
  const faults: ConfigFault[] = [];
  const planned = await planOf(file, { ...flags, config: path }, faults);
  const options = plannedOptions(planned, { ...flags });
  const surroundings = await surroundingsOf(planned, options, faults);
  const { deploy } = file.content as LbConfig;
  const errors = [
    ...clusterOptionErrors(options, surroundings),
    ...(deploy === undefined ? [] : optionErrors(deploySchema, deploy, "deploy")),
  ].filter((error) => !isOfSystemd(error));
  faults.push(...errors.map(faultOf));
  if (errors.length === 0) {
    const broken = brokenReferences(parseClusterOptions(options, surroundings));
    faults.push(...broken.map(({ option, what }) => ({ kind: "reference" as const, option, value: null, what })));
  }
  return { file: path, faults, options };
}

type Read =
  | { readonly file: ConfigFile; readonly path: string }
  | { readonly file: string; readonly faults: readonly ConfigFault[] };

async function read(given: string | undefined): Promise<Read> {
  if (given !== undefined && !existsSync(given)) throw new CliError(`There is no configuration ${resolve(given)}.`, 2);
  try {
    const file = await readConfigFile(given);
    if (file !== undefined) return { file, path: file.path };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { file: resolve(given ?? "lb.config"), faults: [fileFault(error)] };
  }
  throw new CliError("There is no configuration here: say which one, lb config check <file>.", 2);
}

function fileFault({ message }: Error): ConfigFault {
  return { kind: "file", option: null, value: null, what: message };
}

/** What is to be run; where that is not clear, the options can be judged all the same. */
async function planOf(file: ConfigFile, flags: PlanFlags, faults: ConfigFault[]): Promise<StartPlan> {
  try {
    return await plan(undefined, flags);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const { entry, args: _args, deploy: _deploy, ...config } = file.content as LbConfig;
    // One without an entry is of a program that calls `cluster()`, or lists no more than options.
    const isOfProgram = entry === undefined && config.exec === undefined && !isPm2Config(file.content);
    if (!isOfProgram) faults.push(entry === undefined ? fileFault(error) : entryFault(entry, error));
    if (isPm2Config(file.content)) return { ...unknown, config: {} };
    const { exec, ...options } = config;
    return { ...unknown, config: entry === undefined ? config : options };
  }
}

const unknown = { kind: "app", entry: "app", wanted: "app", args: [], configFile: undefined } as const;

function entryFault(entry: string, { message }: Error): ConfigFault {
  return { kind: "reference", option: "entry", value: JSON.stringify(entry), what: message };
}

/** What the environment files say are defaults of other options. */
async function surroundingsOf(
  { kind }: StartPlan,
  { envFile = [] }: ClusterOptions,
  faults: ConfigFault[],
): Promise<Surroundings> {
  let ofFiles: Readonly<Record<string, string>> = {};
  try {
    ofFiles = await readEnvFiles([envFile].flat(), process.cwd());
  } catch (error) {
    // What is no path is told of as an option.
    if (error instanceof LbError) {
      faults.push({ kind: "reference", option: "envFile", value: null, what: error.message });
    }
  }
  return {
    env: { ...ofFiles, ...process.env },
    parallelism: availableParallelism(),
    random: systemRandom,
    alone: kind === "front" || kind === "apps",
  };
}

/** Its sockets are handed to a process that it starts, and not to us. */
function isOfSystemd({ option }: OptionError): boolean {
  return /^listen\[\d+\]\.fd$/.test(option);
}

function faultOf({ option, shown, remedy }: OptionError): ConfigFault {
  return { kind: "option", option, value: shown, what: unended(remedy) };
}
