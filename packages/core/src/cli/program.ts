import { existsSync } from "node:fs";
import { Command } from "commander";
import { printable } from "../log/printable.ts";
import { addAlertCommand } from "./alert-command.ts";
import { addBenchCommand } from "./bench-command.ts";
import { addCertificateCommands } from "./certificate-commands.ts";
import { addCompletionCommands } from "./completion/completion-commands.ts";
import { addConfigCommands } from "./config/config-commands.ts";
import { addBackgroundFlags } from "./daemon/background.ts";
import { addDenyCommands } from "./deny-commands.ts";
import { addDeployCommands } from "./deploy/deploy-commands.ts";
import { addDoctorCommand } from "./doctor/doctor-command.ts";
import { addExportCommand } from "./export/export-command.ts";
import { addLogsCommand } from "./logs-command.ts";
import { addLookCommands } from "./look-commands.ts";
import { addLsCommand } from "./ls-command.ts";
import { addMonitCommand } from "./monit/monit-command.ts";
import { addOperateCommands } from "./operate-commands.ts";
import { addProfileCommand } from "./profile/profile-command.ts";
import { answerEnv } from "./program-environment.ts";
import { addProxyCommand } from "./proxy.ts";
import { addSavedCommands } from "./saved-commands.ts";
import { addServeCommand } from "./serve.ts";
import { type StartFlags, start } from "./start.ts";
import { addConfigurationFlags, addStartFlags } from "./start-flags.ts";
import { addStartupCommand } from "./startup/startup-command.ts";
import { addStopCommand } from "./stop-command.ts";
import { addUpgradeCommand } from "./upgrade-command.ts";

const examples = `
Examples:
  lb start app.js                                   one instance on each processor, port 3000
  lb start . -i 4 -p 8080 --host 0.0.0.0            the package in this directory, open to other machines
  lb start server.ts --affinity cookie --max-memory 512M
  lb start app.js -- --verbose                      arguments of the app behind --
  lb start --exec "uvicorn app:app --port {port}"   a program of any language
  lb start ecosystem.config.js --only api --env production
`;

/** What commander does not know of what may have been meant. */
function remedyFor(error: string): string {
  const [, flag] = /^error: unknown option '(-[^']*)'/.exec(error) ?? [];
  if (flag !== undefined && process.argv[2] === "start")
    return `(If it is the app's: lb start <entry> -- ${printable(flag)})\n`;
  const [, command] = /^error: unknown command '([^']*)'/.exec(error) ?? [];
  return command !== undefined && existsSync(command) ? `(Did you mean: lb start ${printable(command)})\n` : "";
}

/** The command line of `lb`. Rejects with what goes wrong; see `main.ts` for the exit codes. */
export function createProgram(version: string): Command {
  const program = new Command("lb")
    .description("One app on every core, no request dropped.")
    .version(version)
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(text + remedyFor(text)) })
    // Commands take this over when they are made.
    .exitOverride();

  program.commandsGroup("Run:");
  const command = program
    .command("start")
    .argument("[entry]", "the app: a Node.js program that listens, a directory with one, or a configuration file")
    .argument("[args...]", "arguments of the app, behind --")
    .description("run an app as a cluster, in the foreground or with -d in the background")
    .addHelpText("after", examples)
    .action((entry: string | undefined, args: string[], flags: StartFlags) => start(entry, args, flags));
  addConfigurationFlags(addBackgroundFlags(addStartFlags(command)));

  // How `lb start` reads a configuration anew; see `program-environment.ts`.
  program
    .command("config-env", { hidden: true })
    .argument("<file>")
    .option("--only <name>")
    .option("--env <name>")
    .action(answerEnv);

  addProxyCommand(program);
  addServeCommand(program);
  program.commandsGroup("Look:");
  addDoctorCommand(program);
  addLsCommand(program);
  addLookCommands(program);
  addLogsCommand(program);
  addMonitCommand(program);
  addProfileCommand(program);
  addOperateCommands(program);
  addConfigCommands(program);
  addUpgradeCommand(program);
  addDeployCommands(program);
  addExportCommand(program);
  addStopCommand(program);
  addDenyCommands(program);
  addCertificateCommands(program);
  addAlertCommand(program);
  addBenchCommand(program);

  program.commandsGroup("Keep it running:");
  addStartupCommand(program);
  addSavedCommands(program);

  program.commandsGroup("Learn:");
  program.addHelpCommand(
    new Command("help")
      .argument("[command]")
      .description("show the flags of a command")
      .helpOption(false)
      .helpGroup("Learn:"),
  );
  addCompletionCommands(program, version);
  return program;
}
