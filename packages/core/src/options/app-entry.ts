import { statSync } from "node:fs";
import { resolve } from "node:path";
import { OptionError } from "../model/errors.ts";

/** A file that Node.js runs in each instance of a group. */
export interface AppEntry {
  /** Absolute. */
  readonly file: string;
  readonly args: readonly string[];
  /** Undefined: those that this process was started with. */
  readonly nodeArgs: readonly string[] | undefined;
  /** Undefined: where this process runs. */
  readonly cwd: string | undefined;
}

export interface WrittenEntry {
  readonly entry: string;
  readonly args?: readonly string[] | undefined;
  readonly nodeArgs?: readonly string[] | undefined;
  readonly cwd?: string | undefined;
}

/**
 * Found from where it runs, as a shell there would.
 *
 * @param within where it stands among the options
 * @throws OptionError for what is not there
 */
export function appEntry({ entry, args = [], nodeArgs, cwd }: WrittenEntry, within: string): AppEntry {
  const at = cwd === undefined ? undefined : resolve(cwd);
  if (at !== undefined && statSync(at, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new OptionError(`${within}.cwd`, cwd, "there is no such directory");
  }
  const file = resolve(at ?? "", entry);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return { file, args, nodeArgs, cwd: at };
  throw new OptionError(`${within}.entry`, entry, `there is no file ${file}: give the path of a program of Node.js`);
}
