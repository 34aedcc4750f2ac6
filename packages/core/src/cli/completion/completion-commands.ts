import { basename } from "node:path";
import { Argument, type Command } from "commander";
import { printable } from "../../log/printable.ts";
import { CliError } from "../cli-error.ts";
import { runningClusters } from "../targets.ts";
import { commandTree } from "./command-tree.ts";
import { complete } from "./complete.ts";
import { manPage } from "./man-page.ts";
import { completionScripts, type ShellName, shellNames } from "./scripts.ts";
import { showPage } from "./show-page.ts";

export function addCompletionCommands(program: Command, version: string): void {
  program
    .command("completion")
    .addArgument(new Argument("[shell]", "default: the one that you are in").choices(shellNames))
    .description("have the shell complete commands, flags, and names of clusters")
    .addHelpText(
      "after",
      `
Examples:
  source <(lb completion bash)                                      in this shell
  lb completion bash > ~/.local/share/bash-completion/completions/lb
  lb completion zsh > ~/.zfunc/_lb                                  with fpath+=~/.zfunc before compinit in .zshrc
  lb completion fish > ~/.config/fish/completions/lb.fish
`,
    )
    .action((shell: ShellName | undefined) => {
      process.stdout.write(completionScripts[shell ?? ownShell()]);
    });

  program
    .command("__complete", { hidden: true })
    .argument("[words...]")
    .action(async (words: readonly string[]) => {
      const { candidates, paths } = await complete(commandTree(program), words, {
        clusters: () => runningClusters().catch(() => []),
      });
      for (const { text, description } of candidates) console.log(`${printable(text)}\t${printable(description)}`);
      if (paths !== undefined) console.log(`:${paths}`);
    });

  program
    .command("man")
    .description("show the manual page; in a pipe it is the page itself, for man1/lb.1")
    .action(() => showPage(manPage(commandTree(program), version)));
}

function ownShell(): ShellName {
  const shell = basename(process.env["SHELL"] ?? "");
  const found = shellNames.find((name) => name === shell);
  if (found !== undefined) return found;
  throw new CliError(`Say for which shell: lb completion ${shellNames.join("|")}`, 2);
}
