import { existsSync } from "node:fs";
import type { Command } from "commander";
import {
  type ControlAddress,
  checkControlDirectory,
  controlDirectories,
  listControls,
  listedName,
} from "../control/control-directory.ts";
import { CliError } from "./cli-error.ts";
import { wholeNumber } from "./flag-values.ts";

/** Which cluster a command is about. */
export interface Target {
  readonly name?: string | undefined;
  readonly pid?: number | undefined;
}

/** The options by which a running cluster is named. */
export function about(command: Command): Command {
  return command
    .option("--name <name>", "which cluster, if several run")
    .option("--pid <pid>", "the same by its primary's process", wholeNumber(1));
}

/** As `--name` says it, or without that word. */
export function named(name: string | undefined, target: Target): Target {
  if (name === undefined) return target;
  if (target.name !== undefined && target.name !== name)
    throw new CliError(`Which cluster is meant, ${name} or ${target.name}? Say it once.`, 2);
  return { ...target, name };
}

/** A word that says what in a cluster is meant may be the name of one, where no option says which. */
export async function namesCluster(word: string | undefined, { name, pid }: Target): Promise<boolean> {
  if (word === undefined || name !== undefined || pid !== undefined) return false;
  return (await runningClusters()).some((one) => one.name === listedName(word));
}

/** All clusters of this user. */
export async function runningClusters(): Promise<readonly ControlAddress[]> {
  const [usual, ...others] = controlDirectories();
  if (existsSync(usual)) checkControlDirectory(usual);
  const usable = [usual, ...others].filter((directory) => existsSync(directory) && isUsable(directory));
  return (await Promise.all(usable.map(listControls))).flat();
}

/** What is of somebody else is no affair of ours, where it need not be ours. */
function isUsable(directory: string): boolean {
  try {
    checkControlDirectory(directory);
    return true;
  } catch {
    return false;
  }
}

/** @throws CliError if none runs, or if it is not clear which one is meant */
export async function findTarget({ name, pid }: Target): Promise<ControlAddress> {
  const running = await runningClusters();
  const found = running.filter(
    (one) => (name === undefined || one.name === listedName(name)) && (pid === undefined || one.pid === pid),
  );
  const [only, ...others] = found;
  if (only === undefined) {
    const list = running.map((one) => `${one.name} (pid ${one.pid})`).join(", ");
    const wanted = name === undefined && pid === undefined ? "" : ` that is called ${name ?? `pid ${pid}`}`;
    throw new CliError(
      running.length === 0
        ? "No cluster of this user runs here. Start one with: lb start <entry>"
        : `There is no running cluster${wanted}. Running: ${list}`,
      3,
    );
  }
  if (others.length > 0) {
    const list = found.map((one) => `--name ${one.name} --pid ${one.pid}`).join("\n  ");
    throw new CliError(`Several clusters run; say which one is meant:\n  ${list}`, 2);
  }
  return only;
}
