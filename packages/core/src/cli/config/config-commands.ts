import { resolve } from "node:path";
import { styleText } from "node:util";
import type { Command } from "commander";
import type { ConfigurationReport, ConfigurationWish } from "../../cluster/configuration.ts";
import { ask, ControlError } from "../../control/control-client.ts";
import { counted } from "../../log/words.ts";
import type { OptionChange } from "../../options/option-changes.ts";
import { CliError } from "../cli-error.ts";
import { say } from "../say.ts";
import type { PlanFlags } from "../start-plan.ts";
import { about, findTarget, named, namesCluster, type Target } from "../targets.ts";
import { type ConfigCheck, type ConfigFault, checkConfig } from "./config-check.ts";
import { answerConfig } from "./read-anew.ts";

type Choice = Pick<PlanFlags, "only" | "env">;

interface CheckFlags extends Choice {
  readonly json?: boolean;
}

interface ApplyFlags extends Target {
  readonly dryRun?: boolean;
  readonly reload?: boolean;
  readonly json?: boolean;
}

const file = "instead of the one that the cluster was started with";

/** What is to be done with a configuration: look at it, see what it would change, have a running cluster go by it. */
export function addConfigCommands(program: Command): void {
  const config = program
    .command("config")
    .description("check a configuration, see what it would change, put it in force");
  config
    .command("check")
    .argument("[file]", "instead of lb.config.{ts,js,mjs,cjs,json}; PM2's files too")
    .description("say all that is wrong with a configuration; exits with 2 for options, 1 for what they name")
    .option("--only <name>", "of several apps in PM2's file, this one")
    .option("--env <name>", "with the variables of env_<name> in PM2's file")
    .option("--json", "as JSON")
    .action(async (given: string | undefined, { json, ...choice }: CheckFlags) => {
      const checked = await checkConfig(given, choice);
      if (json === true) say(JSON.stringify({ file: checked.file, faults: checked.faults }));
      else for (const line of faultLines(checked)) say(line);
      process.exitCode = exitCodeOf(checked.faults);
    });
  about(config.command("diff"))
    .argument("[file]", file)
    .argument("[name]", "which cluster, if several run")
    .description("show what a configuration would change in the running cluster, and how")
    .option("--json", "as JSON")
    .action((given: string | undefined, name: string | undefined, flags: ApplyFlags) =>
      apply(given, name, { ...flags, dryRun: true }),
    );
  about(config.command("apply"))
    .argument("[file]", file)
    .argument("[name]", "which cluster, if several run")
    .description("have the running cluster go by a configuration, as far as that takes no new primary")
    .option("--dry-run", "only show what would change, as lb config diff does")
    .option("--reload", "replace the instances, one after the other, where an option wants that")
    .option("--json", "as JSON")
    .action(apply);
  // How `lb start` reads a configuration anew; see `read-anew.ts`.
  config
    .command("read", { hidden: true })
    .argument("<file>")
    .option("--only <name>")
    .option("--env <name>")
    .action((given: string, choice: Choice) => answerConfig(given, choice));
}

/** A word that is the name of a cluster is that. */
async function apply(given: string | undefined, name: string | undefined, flags: ApplyFlags): Promise<void> {
  const isName = name === undefined && (await namesCluster(given, flags));
  const target = await findTarget(named(isName ? given : name, flags));
  const { dryRun = false, reload = false, json } = flags;
  const wish: ConfigurationWish = { file: isName || given === undefined ? undefined : resolve(given), dryRun, reload };
  const report = await asked(target.path, wish);
  if (json === true) return say(JSON.stringify(report));
  for (const line of changeLines(report.changes)) say(line);
  say(summary(report, target.name));
}

async function asked(path: string, argument: ConfigurationWish): Promise<ConfigurationReport> {
  try {
    return (await ask({ path, command: "config", argument })) as ConfigurationReport;
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    if (error.code === "LB_CONFIG") throw new CliError(error.message, 2);
    if (error.code.startsWith("LB_RELOAD_")) throw new CliError(error.message, 4);
    throw error;
  }
}

const colours = { "in place": "green", reload: "yellow", upgrade: "red" } as const;

/** One for each change. */
export function changeLines(changes: readonly OptionChange[]): readonly string[] {
  const width = Math.max(0, ...changes.map(({ by }) => by.length));
  return changes.map(({ option, from, to, by }) => {
    const how = styleText(colours[by], by.padEnd(width), { stream: process.stdout });
    return `${how}  ${option}  ${from ?? "(none)"} -> ${to ?? "(none)"}`;
  });
}

function summary({ file: read, changes, applied, reloaded }: ConfigurationReport, name: string): string {
  if (changes.length === 0) return `${name} goes by what is in ${read} already.`;
  if (!applied) {
    const those = (by: OptionChange["by"]) => changes.filter((change) => change.by === by).length;
    const remedies = [
      ...(those("upgrade") > 0 ? ["lb upgrade"] : []),
      ...(those("upgrade") === 0 && those("reload") > 0 ? ["lb config apply --reload"] : []),
      ...(those("upgrade") === 0 && those("reload") === 0 ? ["lb config apply"] : []),
    ];
    return `\n${counted(changes.length, "change")}; nothing has changed yet: ${remedies.join(", ")}.`;
  }
  const took = reloaded === null ? "" : `, and ${counted(reloaded.replaced.length, "instance")} replaced`;
  return `\n${counted(changes.length, "change")} in force${took}.`;
}

function exitCodeOf(faults: readonly ConfigFault[]): number {
  if (faults.length === 0) return 0;
  return faults.every(({ kind }) => kind === "reference") ? 1 : 2;
}

/** One for each fault, and what that comes to. */
export function faultLines({ file: read, faults }: Pick<ConfigCheck, "file" | "faults">): readonly string[] {
  if (faults.length === 0) return [`${read} can be used.`];
  const error = styleText("red", "error", { stream: process.stdout });
  const lines = faults.map(({ option, value, what }) => {
    const where = option === null ? "" : `${option}${value === null ? "" : ` is ${value}`}: `;
    return `${error}  ${where}${what}`;
  });
  return [...lines, "", `${read} cannot be used: ${counted(faults.length, "error")}.`];
}
