import { availableParallelism } from "node:os";
import { Argument, type Command } from "commander";
import { systemRandom } from "../../model/random.ts";
import { parseClusterOptions } from "../../options/cluster-settings.ts";
import { CliError } from "../cli-error.ts";
import { addStartFlags, startDefaults, withFlags } from "../start-flags.ts";
import { type PlanFlags, plan } from "../start-plan.ts";
import { haproxy } from "./haproxy.ts";
import { nginx } from "./nginx.ts";
import { type Policies, policiesOf } from "./policies.ts";

/** Each writes the same policies in another program's language. */
const writers: Readonly<Record<string, (policies: Policies) => string>> = { haproxy, nginx };

type ExportFlags = PlanFlags & Readonly<Record<string, unknown>>;

/** The command that lets others do what the front does. */
export function addExportCommand(program: Command): void {
  const command = program
    .command("export")
    .addArgument(new Argument("<program>", "whose configuration is written").choices(Object.keys(writers)))
    .argument("[entry]", "the app, or a configuration file, as for lb start")
    .description("write a configuration of HAProxy or nginx that does what the front does, to standard output")
    .action(async (writer: string, entry: string | undefined, flags: ExportFlags) => {
      const planned = await plan(entry, flags);
      if (planned.kind === "front")
        throw new CliError("There are no instances here that another program could balance over.", 2);
      const options = withFlags({ ...startDefaults, ...planned.config }, flags);
      const surroundings = { env: process.env, parallelism: availableParallelism(), random: systemRandom };
      const policies = policiesOf(parseClusterOptions(options, surroundings), options);
      process.stdout.write(writers[writer]!(policies));
    });
  addStartFlags(command).option("--config <file>", "instead of lb.config.{ts,js,mjs,cjs,json}");
}
