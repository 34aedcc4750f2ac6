import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { LbError } from "../model/errors.ts";

/** `sun_path` holds 104 bytes on macOS and BSD (108 on Linux), the closing NUL among them. */
const maxPathBytes = 103;

/** The control socket of one running cluster. */
export interface ControlAddress {
  /** The cluster's option `name`. */
  readonly name: string;
  /** The primary's. */
  readonly pid: number;
  readonly path: string;
}

/**
 * Where control sockets are: `LB_CONTROL_DIR`, else in `XDG_RUNTIME_DIR` (systemd gives one to each user), else in the
 * temporary directory. One directory a user, which nobody else may enter.
 */
export function controlDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const { LB_CONTROL_DIR: own, XDG_RUNTIME_DIR: runtime } = env;
  if (own !== undefined && own !== "") return own;
  if (runtime !== undefined && runtime !== "") return join(runtime, "lb");
  return join(tmpdir(), `lb-${userInfo().uid}`);
}

/**
 * Makes the directory, and sees to it that it is this user's alone: connecting to a socket needs the right to search its
 * directory, and in the temporary directory somebody else may have been there before.
 *
 * @throws LbError `LB_CONTROL_DIRECTORY`
 */
export function openControlDirectory(directory: string): void {
  try {
    makeDirectory(directory);
    const { uid, mode } = lstatSync(directory);
    const isDirectory = lstatSync(directory).isDirectory();
    if (!isDirectory || uid !== userInfo().uid) throw new Error("it belongs to another user, or is no directory");
    if ((mode & 0o077) !== 0) chmodSync(directory, 0o700);
  } catch (cause) {
    throw new LbError(
      "LB_CONTROL_DIRECTORY",
      `The directory ${directory} cannot hold the control socket: ${(cause as Error).message}. ` +
        "Set LB_CONTROL_DIR to one that only this user may enter.",
      { cause },
    );
  }
}

/** Not with its parents: Node's own way to make those tries for ever where nothing can be made, such as in /proc. */
function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** A name may hold anything; a file's name may not. */
export function controlPath(directory: string, name: string, pid: number): string {
  const path = join(directory, `${encodeURIComponent(name).slice(0, 48)}.${pid}.sock`);
  if (Buffer.byteLength(path) <= maxPathBytes) return path;
  throw new LbError(
    "LB_CONTROL_DIRECTORY",
    `The path ${path} is too long for a socket: set LB_CONTROL_DIR to a shorter one.`,
  );
}

/** The sockets of clusters whose primary lives; those that dead ones left behind are removed. */
export function listControls(directory: string): readonly ControlAddress[] {
  let files: readonly string[];
  try {
    files = readdirSync(directory);
  } catch {
    return [];
  }
  return files.flatMap((file) => {
    const [, encoded, digits] = /^(.+)\.(\d+)\.sock$/.exec(file) ?? [];
    if (encoded === undefined) return [];
    const path = join(directory, file);
    const pid = Number(digits);
    if (isAlive(pid)) return [{ name: decode(encoded), pid, path }];
    rmSync(path, { force: true });
    return [];
  });
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
