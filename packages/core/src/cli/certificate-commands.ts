import { type Command, Option } from "commander";
import { ask } from "../control/control-client.ts";
import { CliError } from "./cli-error.ts";
import { statusOf } from "./look-commands.ts";
import { say } from "./say.ts";
import { table } from "./status-table.ts";
import { about, findTarget, type Target } from "./targets.ts";

/** What is about the certificates of the port with TLS. */
export function addCertificateCommands(program: Command): void {
  about(program.command("certs"))
    .argument("[action]", '"reload" reads them anew first')
    .description("show the certificates of the port with TLS, or read them anew")
    .addOption(new Option("--json", "as JSON"))
    .action(async (action: string | undefined, flags: Target & { readonly json?: boolean }) => {
      if (action !== undefined && action !== "reload")
        throw new CliError(`There is no "${action}": lb certs reload.`, 2);
      const target = await findTarget(flags);
      if (action === "reload") await ask({ path: target.path, command: "certs" });
      const { https, name } = await statusOf(target);
      if (https === null) throw new CliError(`${name} has no port with TLS: the option "https" opens one.`, 1);
      if (flags.json === true) say(JSON.stringify(https.certificates));
      else {
        const rows = https.certificates.map(({ names, expiresAt }) => [
          names.join(", "),
          expiresAt.slice(0, 10),
          daysUntil(expiresAt),
        ]);
        say(table(["names", "expires", "days left"], rows, [0, 1]).join("\n"));
      }
    });
}

function daysUntil(time: string): string {
  return String(Math.floor((Date.parse(time) - Date.now()) / 86_400_000));
}
