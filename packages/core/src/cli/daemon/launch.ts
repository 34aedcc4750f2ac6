import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { directoryOf, fileName } from "./state-directory.ts";

/** How a cluster was started in the background: enough to do the same again. */
export interface Launch {
  readonly name: string;
  /** Node.js and its flags, `lb` and its arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where its log file is, and how it is rotated. */
  readonly log: LogPlace;
}

export interface LogPlace {
  readonly directory: string;
  readonly maxBytes: number;
  readonly files: number;
}

/** What the session of whoever started it has in its environment, and is of no use in another. */
const ofSession =
  /^(_|PWD|OLDPWD|SHLVL|TERM|TERM_.*|COLORTERM|COLUMNS|LINES|DISPLAY|WAYLAND_DISPLAY|WINDOWID|TMUX.*|STY|SSH_.*|XDG_SESSION_.*|XDG_SEAT|XDG_VTNR|DBUS_SESSION_BUS_ADDRESS|INVOCATION_ID|JOURNAL_STREAM|NOTIFY_SOCKET|WATCHDOG_.*|LISTEN_.*|NODE_CHANNEL_.*)$/;

export function lastingVariables(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !ofSession.test(entry[0]),
    ),
  );
}

/** The file that all of it is written to. */
export function logFile({ name, log }: Pick<Launch, "name" | "log">): string {
  return join(log.directory, `${fileName(name)}.log`);
}

/** What the primary writes to its own standard streams: why a start failed, and what Node.js says when it dies. */
export function primaryLogFile(name: string): string {
  return join(directoryOf(name), "primary.log");
}

export function claimFile(name: string): string {
  return join(directoryOf(name), "primary.pid");
}

const launchFile = (name: string) => join(directoryOf(name), "launch.json");

/** There are variables of the environment in it, hence for this user alone. */
export function writeLaunch(launch: Launch): void {
  writeWhole(launchFile(launch.name), launch);
}

/** Undefined: none of that name was ever started in the background, or not by this version. */
export function readLaunch(name: string): Launch | undefined {
  const launch = readJson(launchFile(name));
  return isLaunch(launch) ? launch : undefined;
}

export function isLaunch(value: unknown): value is Launch {
  const { name, command, cwd, env, log } = (value ?? {}) as { readonly [Key in keyof Launch]?: unknown };
  const texts = (list: unknown) => Array.isArray(list) && list.every((text) => typeof text === "string");
  return (
    typeof name === "string" &&
    texts(command) &&
    typeof cwd === "string" &&
    texts(Object.values((env ?? {}) as object)) &&
    typeof (log as LogPlace | undefined)?.directory === "string"
  );
}

/** Another process reads the old text or the new one, and never a part. */
export function writeWhole(path: string, value: unknown): void {
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(beside, path);
}

export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
