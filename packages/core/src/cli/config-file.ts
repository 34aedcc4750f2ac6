import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ClusterOptions } from "../options.ts";
import { CliError } from "./cli-error.ts";

/** What `lb.config.*` may hold: the options of `cluster()`, and what to run. */
export interface LbConfig extends ClusterOptions {
  /** The program, relative to the file. */
  readonly entry?: string;
  /** Its arguments. */
  readonly args?: readonly string[];
}

/** Gives the types of a configuration to the editor; at run time it does nothing. */
export function defineConfig(config: LbConfig): LbConfig {
  return config;
}

const names = ["lb.config.ts", "lb.config.js", "lb.config.mjs", "lb.config.cjs", "lb.config.json"];

/** A configuration file's content. */
export interface ConfigFile {
  readonly path: string;
  readonly content: object;
}

/**
 * The configuration in `file`, or in the first of the usual names that is in the working directory; undefined without
 * any. TypeScript is run by Node itself, which drops the types.
 *
 * @throws CliError
 */
export async function readConfigFile(file: string | undefined): Promise<ConfigFile | undefined> {
  const path = file === undefined ? names.map((name) => resolve(name)).find(existsSync) : resolve(file);
  if (path === undefined) return undefined;
  let content: unknown;
  try {
    content = path.endsWith(".json")
      ? JSON.parse(await readFile(path, "utf8"))
      : ((await import(pathToFileURL(path).href)) as { readonly default?: unknown }).default;
  } catch (error) {
    throw new CliError(`The configuration ${path} cannot be read: ${(error as Error).message}`, 2);
  }
  if (typeof content === "object" && content !== null && !Array.isArray(content)) return { path, content };
  throw new CliError(
    `The configuration ${path} has no options: export them as the default, e.g. export default defineConfig({ … })`,
    2,
  );
}
