import { readdirSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { printable } from "../log/printable.ts";
import { listed } from "../log/words.ts";
import { CliError } from "./cli-error.ts";
import { programKind } from "./program-kind.ts";

/** What is to be run. */
export interface Entry {
  readonly path: string;
  /** Those that a package's start script gives it. */
  readonly args: readonly string[];
}

const extensions = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];

/**
 * Finds the program that somebody means by `given`, as `node` and PM2 do: a file, with or without its extension, or a
 * directory with a package or an index file in it.
 *
 * @throws CliError
 */
export function resolveEntry(given: string): Entry {
  const path = resolve(given);
  const file = fileAt(path) ?? undefined;
  if (file !== undefined) return { path: runnable(file), args: [] };
  if (statsOf(path)?.isDirectory()) return ofDirectory(path);
  throw new CliError(`There is no file ${printable(path)}.${nearby(dirname(path))}`, 2);
}

/** The file itself, or with the extension that was left away. */
function fileAt(path: string): string | undefined {
  return [path, ...extensions.map((extension) => path + extension)].find((one) => statsOf(one)?.isFile());
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Its `main`, else what `npm start` runs if that is a program of Node's, else its index file. */
function ofDirectory(directory: string): Entry {
  const { main, start } = packageIn(directory);
  const ofMain = main === undefined ? undefined : mainFile(resolve(directory, main));
  if (ofMain !== undefined) return { path: runnable(ofMain), args: [] };
  if (start !== undefined) return ofStartScript(directory, start);
  const index = fileAt(join(directory, "index"));
  if (index !== undefined) return { path: runnable(index), args: [] };
  const missing = main === undefined ? "" : ` (the main file of its package.json, ${printable(main)}, is not there)`;
  throw new CliError(`There is no program in the directory ${printable(directory)}${missing}.${nearby(directory)}`, 2);
}

function mainFile(path: string): string | undefined {
  return fileAt(path) ?? (statsOf(path)?.isDirectory() ? fileAt(join(path, "index")) : undefined);
}

function packageIn(directory: string): { readonly main?: string; readonly start?: string } {
  try {
    const { main, scripts } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as {
      readonly main?: unknown;
      readonly scripts?: { readonly start?: unknown };
    };
    return {
      ...(typeof main === "string" && main !== "" ? { main } : {}),
      ...(typeof scripts?.start === "string" ? { start: scripts.start.trim() } : {}),
    };
  } catch {
    return {};
  }
}

/** `node server.js --verbose`, or the command of a package, e.g. `next start`. */
function ofStartScript(directory: string, script: string): Entry {
  const shown = printable(script);
  const remedy = "Say which program it is: lb start <file>.";
  if (/[;&|<>$`"'\\=]/.test(script)) {
    throw new CliError(`The start script in ${printable(directory)} is more than one program (${shown}). ${remedy}`, 2);
  }
  const [command, ...words] = script.split(/\s+/) as [string, ...string[]];
  if (command !== "node") {
    const bin = statsOf(join(directory, "node_modules/.bin", command))?.isFile();
    if (bin !== true)
      throw new CliError(`The start script in ${printable(directory)} is not Node.js (${shown}). ${remedy}`, 2);
    return { path: runnable(join(directory, "node_modules/.bin", command)), args: words };
  }
  const [file, ...args] = words;
  if (file?.startsWith("-")) {
    const flags = "Give Node.js its flags with NODE_OPTIONS, and the program to lb: lb start <file>.";
    throw new CliError(`The start script in ${printable(directory)} has flags for Node.js (${shown}). ${flags}`, 2);
  }
  const path = file === undefined ? undefined : fileAt(resolve(directory, file));
  if (path === undefined)
    throw new CliError(
      `The start script in ${printable(directory)} names no file that is there (${shown}). ${remedy}`,
      2,
    );
  return { path: runnable(path), args };
}

/** A program that Node can run: the file, or what a package manager's own script starts. */
function runnable(path: string): string {
  // As Node names the main module: by the file that it is, not by the link.
  const file = realpathSync(path);
  const found = programKind(file);
  switch (found.kind) {
    case "node":
      return file;
    case "shim":
      return runnable(found.target);
    case "other":
      throw new CliError(
        `${printable(basename(path))} is ${found.what}, and lb start <entry> runs programs of Node.js: .js, .mjs, .cjs, .ts, .mts, .cts.` +
          otherwise(found.what, path),
        2,
      );
  }
}

/** What people start such a program with; where it listens is its own affair. */
const commands: Readonly<Record<string, string>> = {
  "a Python program": "python3 ",
  "a Ruby program": "ruby ",
  "a PHP program": "php -S {host}:{port} ",
  "a Perl program": "perl ",
  "a shell script": "sh ",
  "a Go source": "go run ",
  "a Java archive": "java -jar ",
  "a Deno program": "deno run -A ",
  "a Bun program": "bun ",
  "a compiled program": "",
};

/** How it is run all the same, if it can be run at all. */
function otherwise(what: string, path: string): string {
  const command = commands[what];
  if (command === undefined) return "";
  const where = relative(process.cwd(), path);
  const shown = printable(command === "" && !where.includes("/") ? `./${where}` : `${command}${where}`);
  return ` Others are run by their own command: lb start --exec "${shown}"`;
}

/** What somebody may have meant. */
function nearby(directory: string): string {
  try {
    const programs = readdirSync(directory).filter(
      (name) => /\.[cm]?[jt]s$/.test(name) && !/\.(config|test|d)\./.test(name),
    );
    if (programs.length === 0) return "";
    const where = relative(process.cwd(), directory);
    const names = programs.slice(0, 5).map((name) => printable(join(where, name)));
    return ` There ${programs.length === 1 ? "is" : "are"} ${listed(names)}${programs.length > 5 ? " and more" : ""}.`;
  } catch {
    return "";
  }
}
