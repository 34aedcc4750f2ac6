import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { CliError } from "../cli-error.ts";

/**
 * Where it is kept what is known of clusters that run in the background: `$XDG_STATE_HOME/lb`, else `~/.local/state/lb`. What is in it
 * is this user's alone, since variables of their environments are.
 */
export function stateDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const { XDG_STATE_HOME: state } = env;
  if (state?.startsWith("/") === true) return join(state, "lb");
  try {
    return join(homedir(), ".local/state/lb");
  } catch {
    throw new CliError("This user has no home directory: say with XDG_STATE_HOME where log files are to be.", 1);
  }
}

/** Longer than this a name is told from others by its hash: `я` alone takes six characters. */
const maxFileName = 100;

/** A cluster may be called anything; a file may not. */
export function fileName(name: string): string {
  const whole = encodeURIComponent(Buffer.from(name).toString()).replace(/^\./, "%2E");
  if (whole.length <= maxFileName) return whole;
  return `${whole.slice(0, maxFileName - 17)}-${createHash("sha256").update(name).digest("hex").slice(0, 16)}`;
}

/** The directory of one cluster. */
export function directoryOf(name: string, env?: NodeJS.ProcessEnv): string {
  return join(stateDirectory(env), fileName(name));
}

/** @throws CliError */
export function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    const remedy = "Let this user write there, or say with --log-dir or XDG_STATE_HOME where else it may be.";
    throw new CliError(`The directory ${directory} cannot be made (${(error as Error).message}). ${remedy}`, 1);
  }
}
