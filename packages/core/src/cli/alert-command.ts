import type { Command } from "commander";
import { ask } from "../control/control-client.ts";
import type { AlertTrial } from "../model/alert.ts";
import { CliError } from "./cli-error.ts";
import { say } from "./say.ts";
import { table } from "./status-table.ts";
import { about, findTarget, type Target } from "./targets.ts";

/** What is about the messages of the option `alerts`. */
export function addAlertCommand(program: Command): void {
  about(program.command("alert"))
    .argument("<action>", '"test" sends a message to all who are told when something is wrong')
    .description("try out who is told when something is wrong")
    .option("--json", "as JSON")
    .action(async (action: string, flags: Target & { readonly json?: boolean }) => {
      if (action !== "test") throw new CliError(`There is no "${action}": lb alert test.`, 2);
      const { path } = await findTarget(flags);
      const trials = (await ask({ path, command: "alert-test" })) as readonly AlertTrial[];
      const rows = trials.map(({ target, error, tookMs }) => [target, error ?? "took it", `${tookMs} ms`]);
      say(flags.json === true ? JSON.stringify(trials) : table(["to", "", "after"], rows, [0, 1]).join("\n"));
      const failed = trials.filter(({ error }) => error !== null).length;
      if (failed > 0) throw new CliError(`${failed} of ${trials.length} did not take it.`, 1);
    });
}
