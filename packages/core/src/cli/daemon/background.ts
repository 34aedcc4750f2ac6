import { resolve } from "node:path";
import type { Command } from "commander";
import { logicalDirectory } from "../../cluster/logical-directory.ts";
import { workerFactsVariable } from "../../ipc/worker-facts.ts";
import type { ClusterOptions } from "../../options/cluster-options.ts";
import { CliError } from "../cli-error.ts";
import { bytes, wholeNumber } from "../flag-values.ts";
import { detach, sayWhere } from "./detach.ts";
import { Detached } from "./detached.ts";
import { type Launch, lastingVariables } from "./launch.ts";
import { claimPidFile } from "./pid-file.ts";
import { directoryOf } from "./state-directory.ts";

export interface BackgroundFlags {
  readonly detach?: boolean;
  readonly logDir?: string;
  readonly logSize?: number;
  readonly logFiles?: number;
  readonly pidFile?: string;
}

const smallestLog = 65_536;

/** Of the commands that run until they are ended. */
export function addBackgroundFlags(command: Command): Command {
  return command
    .optionsGroup("In the background:")
    .option("-d, --detach", "run on when the terminal is closed; returns when all instances are ready")
    .option("--log-dir <directory>", "where its log goes (default: ~/.local/state/lb/<name>)")
    .option("--log-size <size>", "a log file that is longer is put aside (default: 10M)", logBytes)
    .option("--log-files <n>", "how many are kept, with the current one (default: 5)", wholeNumber(1, 100))
    .option("--pid-file <file>", "the primary's process is written there, with or without -d");
}

function logBytes(text: string): unknown {
  return Math.max(smallestLog, Number(bytes(text)));
}

/** Where the cluster runs that a command is to run. */
export type Place =
  /** In this process, as whoever started it sees. An instance is nowhere else. */
  | { readonly kind: "foreground" }
  /** In this process, which was started in the background for that. */
  | { readonly kind: "background"; readonly primary: Detached }
  /** In another process, by now. */
  | { readonly kind: "elsewhere" };

/** @throws CliError */
export async function placeOf(
  { name = "app", control }: ClusterOptions,
  flags: BackgroundFlags & Readonly<Record<string, unknown>>,
): Promise<Place> {
  if (process.env[workerFactsVariable] !== undefined) return { kind: "foreground" };
  const primary = await Detached.open();
  if (primary === undefined && flags.detach === true) {
    if (control === false)
      throw new CliError("What runs in the background is found by its control socket: leave --no-control out.", 2);
    const launch = launchOf(name, flags);
    sayWhere(launch, await detach(launch));
    return { kind: "elsewhere" };
  }
  if (flags.pidFile !== undefined) claimPidFile(flags.pidFile);
  return primary === undefined ? { kind: "foreground" } : { kind: "background", primary };
}

function launchOf(name: string, { logDir, logSize = 10_485_760, logFiles = 5 }: BackgroundFlags): Launch {
  const [, cli = "", ...args] = process.argv;
  return {
    name,
    // As it was called: the link to it stays where it is when another version is installed.
    command: [process.execPath, ...process.execArgv, cli, ...args],
    cwd: logicalDirectory(process.cwd(), process.env["PWD"]),
    env: lastingVariables(process.env),
    log: { directory: logDir === undefined ? directoryOf(name) : resolve(logDir), maxBytes: logSize, files: logFiles },
  };
}
