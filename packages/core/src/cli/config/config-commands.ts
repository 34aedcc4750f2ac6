import { styleText } from "node:util";
import type { Command } from "commander";
import { counted } from "../../log/words.ts";
import { say } from "../say.ts";
import type { PlanFlags } from "../start-plan.ts";
import { type ConfigCheck, type ConfigFault, checkConfig } from "./config-check.ts";

interface CheckFlags extends PlanFlags {
  readonly json?: boolean;
}

/** What is to be done about a configuration, without starting anything by it. */
export function addConfigCommands(program: Command): void {
  const config = program.command("config").description("look at a configuration before it is in force");
  config
    .command("check")
    .argument("[file]", "instead of lb.config.{ts,js,mjs,cjs,json}; PM2's files too")
    .description("say all that is wrong with a configuration; exits with 2 for options, 1 for what they name")
    .option("--only <name>", "of several apps in PM2's file, this one")
    .option("--env <name>", "with the variables of env_<name> in PM2's file")
    .option("--json", "as JSON")
    .action(async (file: string | undefined, flags: CheckFlags) => {
      const { json, ...choice } = flags;
      const checked = await checkConfig(file, choice);
      if (json === true) say(JSON.stringify({ file: checked.file, faults: checked.faults }));
      else for (const line of faultLines(checked)) say(line);
      process.exitCode = exitCodeOf(checked.faults);
    });
}

function exitCodeOf(faults: readonly ConfigFault[]): number {
  if (faults.length === 0) return 0;
  return faults.every(({ kind }) => kind === "reference") ? 1 : 2;
}

/** One for each fault, and what that comes to. */
export function faultLines({ file, faults }: Pick<ConfigCheck, "file" | "faults">): readonly string[] {
  if (faults.length === 0) return [`${file} can be used.`];
  const error = styleText("red", "error", { stream: process.stdout });
  const lines = faults.map(({ option, value, what }) => {
    const where = option === null ? "" : `${option}${value === null ? "" : ` is ${value}`}: `;
    return `${error}  ${where}${what}`;
  });
  return [...lines, "", `${file} cannot be used: ${counted(faults.length, "error")}.`];
}
