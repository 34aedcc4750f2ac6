import type { Argument, Command, Option } from "commander";

/** The commands as they are defined, for whatever is made of them besides the command line itself. */
export interface CommandTree {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly description: string;
  /** As in `lb start [options] [entry]`. */
  readonly usage: string;
  readonly arguments: readonly CommandArgument[];
  readonly options: readonly CommandOption[];
  readonly commands: readonly CommandTree[];
}

export interface CommandArgument {
  readonly name: string;
  readonly description: string;
}

export interface CommandOption {
  /** `-i, --instances <n>` */
  readonly flags: string;
  /** `-i`, `--instances` */
  readonly names: readonly string[];
  readonly description: string;
  /** What its value is called; undefined: it takes none. */
  readonly value: string | undefined;
  readonly choices: readonly string[];
  readonly group: string | undefined;
}

export function commandTree(command: Command): CommandTree {
  const help = command.createHelp();
  return {
    name: command.name(),
    aliases: command.aliases(),
    description: command.description(),
    usage: help.commandUsage(command),
    arguments: command.registeredArguments.map(argument),
    options: help.visibleOptions(command).map(option),
    commands: help
      .visibleCommands(command)
      .filter((one) => one.name() !== "help")
      .map(commandTree),
  };
}

function argument(of: Argument): CommandArgument {
  return { name: of.name(), description: of.description };
}

function option(of: Option): CommandOption {
  const [, value] = /[<[]([^\]>]+)[\]>]/.exec(of.flags) ?? [];
  return {
    flags: of.flags,
    names: [of.short, of.long].filter((name) => name != null),
    description: of.description,
    value,
    choices: of.argChoices ?? [],
    group: of.helpGroupHeading,
  };
}
