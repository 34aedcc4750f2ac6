import { statSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { printable } from "../log/printable.ts";
import type { FileOptions } from "../options/file-options.ts";
import { CliError } from "./cli-error.ts";
import { addBackgroundFlags } from "./daemon/background.ts";
import { frontOptions, runFront } from "./front-command.ts";
import { addStartFlags } from "./start-flags.ts";

interface ServeFlags extends Readonly<Record<string, unknown>> {
  readonly spa?: boolean | string;
  readonly cleanUrls?: boolean;
  readonly dotfiles?: boolean;
  readonly precompressed?: boolean;
}

const examples = `
Examples:
  lb serve                                     the directory that you are in, on port 3000
  lb serve dist/ -p 8080 --spa                 an app that routes in the browser
  lb serve dist/ --https localhost             with a certificate that browsers take
  lb serve dist/ --https www.example.com       open to all, on ports 80 and 443
`;

export function addServeCommand(program: Command): void {
  const command = program
    .command("serve")
    .argument("[directory]", "whose files are sent", ".")
    .description("send the files of a directory")
    .addHelpText("after", examples)
    .action((directory: string, flags: ServeFlags) => serve(directory, flags))
    .optionsGroup("Files:")
    .option("--spa [file]", "answer what is no file with index.html, or this file, if it is gone to as a page")
    .option("--clean-urls", "/about is about.html")
    .option("--dotfiles", "send files whose names begin with a dot")
    .option("--no-precompressed", "leave .br, .zst and .gz beside a file alone");
  addBackgroundFlags(addStartFlags(command, (option) => frontOptions.test(option))).helpOption(
    "-h, --help",
    "show this",
  );
}

/** Sends the files until a signal ends it. */
async function serve(directory: string, flags: ServeFlags): Promise<void> {
  const root = resolve(directory);
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new CliError(`There is no directory ${printable(root)}.`, 2);
  }
  const files: FileOptions = {
    files: root,
    spa: flags.spa ?? false,
    extensions: flags.cleanUrls === true ? [".html"] : [],
    dotfiles: flags.dotfiles ?? false,
    precompressed: flags.precompressed ?? true,
  };
  await runFront({ name: basename(root) || "files", routes: [{ to: files }] }, flags);
}
