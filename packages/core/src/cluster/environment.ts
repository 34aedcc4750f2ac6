import type { ClusterSettings } from "../options/cluster-settings.ts";
import { type VariableSource, type Variables, variablesSchema } from "../options/environment-options.ts";
import { parseOptions } from "../options/validation.ts";
import { readEnvFiles } from "../supervisor/env-files.ts";

export interface EnvironmentOptions {
  readonly files: readonly string[];
  readonly env: Variables | VariableSource;
  /** The files are found from here. */
  readonly directory: string;
}

/** The variables that the options ask for, for the workers of all groups. */
export class Environment {
  #options: EnvironmentOptions;
  /** Where relative paths of the options begin, links unresolved. */
  readonly directory: string;
  readonly atStart: Variables;

  private constructor(options: EnvironmentOptions, atStart: Variables) {
    this.#options = options;
    this.directory = options.directory;
    this.atStart = atStart;
  }

  /** @throws as `read` */
  static async at(options: EnvironmentOptions): Promise<Environment> {
    return new Environment(options, await readEnvironment(options));
  }

  /** Is asked for these from now on. */
  use({ envFile, env }: Pick<ClusterSettings, "envFile" | "env">): void {
    this.#options = { ...this.#options, files: envFile, env };
  }

  /** As they are now. @throws LbError, OptionError; what the function `env` throws */
  read(): Promise<Variables> {
    return readEnvironment(this.#options);
  }
}

async function readEnvironment({ files, env, directory }: EnvironmentOptions): Promise<Variables> {
  const ofFiles = await readEnvFiles(files, directory);
  const given = { ...ofFiles, ...process.env };
  const own = typeof env === "function" ? parseOptions(variablesSchema, (await env(given)) ?? {}, "env") : env;
  const unset = Object.entries(ofFiles).filter(([name]) => process.env[name] === undefined);
  return Object.freeze({ ...Object.fromEntries(unset), ...own });
}
