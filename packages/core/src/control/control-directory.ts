import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemWallClock } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import { maxSocketPathBytes } from "../model/socket-path.ts";
import { isServed } from "../unix/served-socket.ts";

/** The control socket of one running cluster. */
export interface ControlAddress {
  /** The cluster's option `name`, with a number behind it if there was another one of that name. */
  readonly name: string;
  /** The primary's. */
  readonly pid: number;
  readonly path: string;
}

/**
 * Where control sockets are: `LB_CONTROL_DIR`, else in `XDG_RUNTIME_DIR` (systemd gives one to each user), else in the
 * temporary directory. One directory a user, which nobody else may change.
 */
export function controlDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return controlDirectories(env)[0]!;
}

/**
 * Where clusters of this user may be, the directory for new ones first: systemd and cron start programs without `XDG_RUNTIME_DIR`, which
 * whoever asks for them from a terminal has.
 */
export function controlDirectories(env: NodeJS.ProcessEnv = process.env): readonly [string, ...string[]] {
  const { LB_CONTROL_DIR: own, XDG_RUNTIME_DIR: runtime } = env;
  if (own !== undefined && own !== "") return [own];
  const usual = join(tmpdir(), `lb-${userId()}`);
  const ofSession = `/run/user/${userId()}/lb`;
  if (runtime === undefined || runtime === "") return [usual, ofSession];
  return [...new Set([join(runtime, "lb"), ofSession, usual])] as [string, ...string[]];
}

/** Not `os.userInfo()`: that throws where the user has no entry in `passwd`, as in many containers. */
function userId(): number {
  return process.getuid?.() ?? 0;
}

/**
 * Makes the directory if there is none. The mode of one that is there is its owner's to choose, and is not changed: it may
 * be one that others need.
 *
 * @throws LbError `LB_CONTROL_DIRECTORY`
 */
export function openControlDirectory(directory: string): void {
  try {
    if (makeDirectory(directory)) chmodSync(directory, 0o700);
  } catch (cause) {
    throw unusable(directory, (cause as Error).message, cause);
  }
  checkControlDirectory(directory);
}

/**
 * Whoever may write in the directory may put sockets of their own in place of a cluster's, and in the temporary directory
 * somebody else may have been there first. So it has to be a directory, no link to one, this user's, and closed to others
 * for writing.
 *
 * @throws LbError `LB_CONTROL_DIRECTORY`
 */
export function checkControlDirectory(directory: string): void {
  let found: ReturnType<typeof lstatSync>;
  try {
    found = lstatSync(directory);
  } catch (cause) {
    throw unusable(directory, (cause as Error).message, cause);
  }
  const { uid, mode } = found;
  if (found.isSymbolicLink()) throw unusable(directory, "it is a symbolic link");
  if (!found.isDirectory()) throw unusable(directory, "it is no directory");
  if (uid !== userId())
    throw unusable(directory, `it belongs to the user with the id ${uid}, not to this one (${userId()})`);
  if ((mode & 0o022) !== 0) {
    const octal = (mode & 0o7777).toString(8).padStart(4, "0");
    throw unusable(directory, `others may write in it (mode ${octal})`);
  }
}

function unusable(directory: string, why: string, cause?: unknown): LbError {
  return new LbError(
    "LB_CONTROL_DIRECTORY",
    `The directory ${directory} cannot be used for control sockets: ${why}. ` +
      "Set LB_CONTROL_DIR to one that belongs to this user and is closed to others, e.g. with mode 700.",
    { cause },
  );
}

/**
 * False if there is one. Not with its parents: Node's own way to make those tries for ever where nothing can be made, such
 * as in /proc.
 */
function makeDirectory(directory: string): boolean {
  try {
    mkdirSync(directory, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** So much of a name stands in its socket's path, whose length is bounded. */
const maxListed = 48;

/** What a cluster of this name is listed as: the beginning of that, where it is long; `я` alone takes six of `most`. */
export function listedName(name: string, most = maxListed): string {
  const characters = [...Buffer.from(name).toString()].slice(0, most);
  while (encodeURIComponent(characters.join("")).length > most) characters.pop();
  return characters.join("");
}

/** A name may hold anything; a file's name may not. */
export function controlPath(directory: string, name: string, pid: number): string {
  const path = join(directory, `${encodeURIComponent(listedName(name))}.${pid}.sock`);
  if (Buffer.byteLength(path) <= maxSocketPathBytes) return path;
  throw new LbError(
    "LB_CONTROL_DIRECTORY",
    `The path ${path} is too long for a socket: set LB_CONTROL_DIR to a shorter one.`,
  );
}

/** The sockets at which a primary listens; those that dead ones left behind are removed. The directory has been checked. */
export async function listControls(directory: string): Promise<readonly ControlAddress[]> {
  const files = readdirSync(directory);
  const found = files.map(async (file) => {
    const [, encoded, digits] = /^(.+)\.(\d+)\.sock$/.exec(file) ?? [];
    if (encoded === undefined) return [];
    const path = join(directory, file);
    if (await isServed(path)) return [{ name: decode(encoded), pid: Number(digits), path }];
    removeAbandoned(path);
    return [];
  });
  return (await Promise.all(found)).flat();
}

/** A socket's file is there before anybody listens at it, by two system calls: a young one is left alone. In milliseconds. */
const youngMs = 10_000;

function removeAbandoned(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && systemWallClock() - found.mtimeMs > youngMs) rmSync(path, { force: true });
}

/** A name under which no other cluster runs there: the one that is wanted, or with a number behind it. */
export function freeName(wanted: string, others: readonly ControlAddress[]): string {
  const taken = new Set(others.map(({ name }) => name));
  for (let number = 1; ; number += 1) {
    const suffix = number === 1 ? "" : `-${number}`;
    const name = suffix === "" ? wanted : listedName(wanted, maxListed - suffix.length) + suffix;
    if (!taken.has(listedName(name))) return name;
  }
}

function decode(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
