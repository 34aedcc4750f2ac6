import { readFileSync } from "node:fs";
import { CommanderError } from "commander";
import { ControlError } from "../control/control-client.ts";
import { LbError, OptionError } from "../model/errors.ts";
import { hasPredecessor, toldPredecessor } from "../upgrade/predecessor.ts";
import { CliError } from "./cli-error.ts";
import { firstSteps } from "./first-steps.ts";
import { createProgram } from "./program.ts";
import { terminalSafe } from "./terminal-safe.ts";

// Exit codes: 0 done; 1 it failed; 2 the command line or an option is wrong; 3 no such cluster runs; 4 a reload was rolled
// back, and the old instances go on serving; 5 `lb doctor` found something to worry about.

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** Told there why it failed, as a terminal is. */
const isSuccessor = hasPredecessor();

const done = process.argv.length > 2 ? createProgram(version).parseAsync() : firstSteps();

done.catch((error: unknown) => {
  process.exitCode = exitCodeOf(error);
  if (isSuccessor) toldPredecessor((error as Error).message);
  if (error instanceof CommanderError) return;
  // In an instance the primary reports what went wrong; here it would be said twice.
  if (process.env["INSTANCE_ID"] !== undefined && error instanceof LbError) return;
  const known = error instanceof CliError || error instanceof LbError;
  if (!known) console.error(error);
  else for (const line of `lb: ${error.message}`.split("\n")) console.error(terminalSafe(line, false));
  // Where the app threw; what else is behind an error of ours is in its message.
  if (error instanceof LbError && error.code === "LB_APP_THREW" && error.cause instanceof Error) {
    console.error(error.cause.stack);
  }
});

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof OptionError || (error instanceof ControlError && error.code === "LB_OPTION")) return 2;
  return 1;
}
