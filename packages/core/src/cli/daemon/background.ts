import { resolve } from "node:path";
import type { Command } from "commander";
import { logicalDirectory } from "../../cluster/logical-directory.ts";
import type { Replaceable } from "../../cluster/replaceable.ts";
import { workerFactsVariable } from "../../ipc/worker-facts.ts";
import type { LogEntry } from "../../log/log-entry.ts";
import type { ClusterOptions } from "../../options/cluster-options.ts";
import { Predecessor } from "../../upgrade/predecessor.ts";
import { CliError } from "../cli-error.ts";
import { bytes, wholeNumber } from "../flag-values.ts";
import { detach, sayWhere } from "./detach.ts";
import { Detached, startText } from "./detached.ts";
import { claimFile, type Launch, lastingVariables } from "./launch.ts";
import { claimPidFile, inheritPidFile, refuseOthers } from "./pid-file.ts";
import { ownCommand, replaceable } from "./replaceable.ts";
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
  /** In this process, as whoever started it sees; or, where that is a primary, in the background. */
  | Here
  /** In another process, by now. */
  | { readonly kind: "elsewhere" };

export interface Here {
  readonly kind: "here";
  /** Undefined: it runs in the foreground. An instance runs nowhere else. */
  readonly background: Detached | undefined;
  /** Another primary may take the place of the one here; undefined: this is an instance. */
  readonly replaceable: Replaceable | undefined;
  /** What is said of the start is said to whoever waits for it. */
  readonly said: (entry: LogEntry) => void;
  /** The cluster here has taken over what another process had. */
  readonly hasTakenOver: () => void;
}

/** @throws CliError */
export async function placeOf(
  { name = "app", control }: ClusterOptions,
  flags: BackgroundFlags & Readonly<Record<string, unknown>>,
): Promise<Place> {
  if (process.env[workerFactsVariable] !== undefined) return inInstance;
  const predecessor = await Predecessor.meet();
  const primary = await Detached.open(predecessor?.pid);
  if (primary === undefined && flags.detach === true) {
    if (control === false)
      throw new CliError("What runs in the background is found by its control socket: leave --no-control out.", 2);
    const launch = launchOf(name, flags);
    sayWhere(launch, await detach(launch));
    return { kind: "elsewhere" };
  }
  const { pidFile } = flags;
  if (predecessor === undefined) {
    if (pidFile !== undefined) claimPidFile(pidFile);
  } else if (pidFile !== undefined) refuseOthers(pidFile, predecessor.pid);
  const files = [
    ...(primary === undefined ? [] : [claimFile(primary.facts.name)]),
    ...(pidFile === undefined ? [] : [pidFile]),
  ];
  return {
    kind: "here",
    background: primary,
    replaceable: replaceable(predecessor, primary?.facts),
    said: (entry) => (predecessor === undefined ? primary?.said(entry) : predecessor.said(startText(entry))),
    hasTakenOver: () => {
      if (predecessor !== undefined) for (const file of files) inheritPidFile(file, predecessor.pid);
    },
  };
}

const inInstance: Here = {
  kind: "here",
  background: undefined,
  replaceable: undefined,
  said: () => {},
  hasTakenOver: () => {},
};

function launchOf(name: string, { logDir, logSize = 10_485_760, logFiles = 5 }: BackgroundFlags): Launch {
  return {
    name,
    // As it was called: the link to it stays where it is when another version is installed.
    command: ownCommand(),
    cwd: logicalDirectory(process.cwd(), process.env["PWD"]),
    env: lastingVariables(process.env),
    log: { directory: logDir === undefined ? directoryOf(name) : resolve(logDir), maxBytes: logSize, files: logFiles },
  };
}
