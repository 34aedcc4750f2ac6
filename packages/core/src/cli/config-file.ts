import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { registerHooks } from "node:module";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { unended } from "../log/words.ts";
import type { ClusterOptions } from "../options/cluster-options.ts";
import type { DeployOptions } from "../options/deploy-options.ts";
import { CliError } from "./cli-error.ts";

/** What `lb.config.*` may hold: the options of `cluster()`, and what to run. */
export interface LbConfig extends ClusterOptions {
  /** The program, relative to the file. */
  readonly entry?: string;
  /** Its arguments. */
  readonly args?: readonly string[];
  /** What `lb deploy` does; see docs/deploy.md. */
  readonly deploy?: DeployOptions;
}

/** Gives the types of a configuration to the editor; at run time it does nothing. */
export function defineConfig(config: LbConfig): LbConfig {
  return config;
}

const names = ["lb.config.ts", "lb.config.js", "lb.config.mjs", "lb.config.cjs", "lb.config.json"];

/** The first of the usual names that is in the working directory. */
export function configFileHere(): string | undefined {
  return names.map((name) => resolve(name)).find(existsSync);
}

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
  const path = file === undefined ? configFileHere() : resolve(file);
  if (path === undefined) return undefined;
  if (!existsSync(path)) throw new CliError(`There is no configuration ${path}.`, 2);
  let content: unknown;
  try {
    content = path.endsWith(".json") ? JSON.parse(await readFile(path, "utf8")) : await defaultExport(path);
  } catch (error) {
    throw new CliError(`The configuration ${path} cannot be read: ${unended(reasonOf(error, path))}.`, 2);
  }
  if (typeof content === "object" && content !== null) return { path, content };
  throw new CliError(
    `The configuration ${path} has no options: export them as the default, e.g. export default defineConfig({ … })`,
    2,
  );
}

async function defaultExport(path: string): Promise<unknown> {
  const { href } = pathToFileURL(path);
  const source = await readFile(path, "utf8");
  // `npm init` writes "type": "commonjs", which would have Node refuse what our own documentation shows.
  const isModule = /\.[jt]s$/.test(path) && /^\s*(?:import[\s{*"']|export\s)/m.test(source);
  const format = path.endsWith(".ts") ? "module-typescript" : "module";
  const hooks = isModule
    ? registerHooks({ load: (url, context, next) => next(url, url === href ? { ...context, format } : context) })
    : undefined;
  try {
    return ((await import(href)) as { readonly default?: unknown }).default;
  } finally {
    hooks?.deregister();
  }
}

function reasonOf(error: unknown, path: string): string {
  if (!(error instanceof Error)) return String(error);
  const line = error.stack?.split(`/${basename(path)}`)[1]?.match(/^:(\d+)/)?.[1];
  return error instanceof ReferenceError && /^(module|require|exports) is not defined/.test(error.message)
    ? "it is CommonJS, and its package.json says that .js files are modules: call it .cjs"
    : `${error.message}${line === undefined ? "" : `, in line ${line}`}`;
}
