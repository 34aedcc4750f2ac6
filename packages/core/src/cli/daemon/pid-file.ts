import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { CliError } from "../cli-error.ts";
import { commandLine, isRunning } from "./process-state.ts";

/** A claim that was made by a process that is gone is taken over; so often, since others may do the same at the same moment. */
const attempts = 3;

/**
 * Writes this process's number into a file that is removed when the process ends. One that is there is another's, if that runs:
 * its number may be some other program's by now.
 *
 * @throws CliError
 */
export function claimPidFile(path: string): void {
  const file = resolve(path);
  for (let attempt = 1; ; attempt += 1) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: "wx", mode: 0o644 });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt === attempts) throw cannotBe(file, error);
    }
    const owner = ownerOf(file);
    if (owner !== undefined) throw isOf(owner, file);
    rmSync(file, { force: true });
  }
  removeAtEnd(file);
}

/**
 * Has the file name this process, in place of the one from which it has taken over what that had.
 *
 * @throws CliError if it is a third one's by now
 */
export function inheritPidFile(path: string, from: number): void {
  const file = resolve(path);
  refuseOthers(file, from);
  const beside = `${file}.${process.pid}`;
  try {
    writeFileSync(beside, `${process.pid}\n`, { mode: 0o644 });
    renameSync(beside, file);
  } catch (error) {
    throw cannotBe(file, error);
  }
  removeAtEnd(file);
}

/** @throws CliError if it is neither that process's nor free */
export function refuseOthers(path: string, from: number): void {
  const file = resolve(path);
  const owner = ownerOf(file);
  if (owner !== undefined && owner !== from) throw isOf(owner, file);
}

function isOf(owner: number, file: string): CliError {
  const remedy = "end it first, or give another file";
  return new CliError(`The PID file ${file} is that of process ${owner}, which runs: ${remedy}.`, 1);
}

function removeAtEnd(file: string): void {
  process.once("exit", () => {
    if (numberIn(file) === process.pid) rmSync(file, { force: true });
  });
}

/** The process that a PID file names, if it runs and is a program of Node.js, as ours are; undefined: the file is stale. */
export function ownerOf(file: string): number | undefined {
  const pid = numberIn(file);
  if (pid === undefined || pid === process.pid || !isRunning(pid)) return undefined;
  const command = commandLine(pid);
  return command === undefined || /\bnode|\blb\b|cli\.js/.test(command) ? pid : undefined;
}

function numberIn(file: string): number | undefined {
  try {
    const text = readFileSync(file, "utf8").trim();
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

function cannotBe(file: string, error: unknown): CliError {
  return new CliError(`The PID file ${file} cannot be written (${(error as Error).message}).`, 1);
}
