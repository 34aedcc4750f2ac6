import { spawnSync } from "node:child_process";
import { CliError } from "../cli-error.ts";

/** Has `man` show a page where there is a terminal; anywhere else it is written out. */
export function showPage(page: string): void {
  if (!process.stdout.isTTY) {
    process.stdout.write(page);
    return;
  }
  const { error } = spawnSync("man", ["-l", "-"], { input: page, stdio: ["pipe", "inherit", "inherit"] });
  if (error !== undefined) throw new CliError(`man cannot be run (${error.message}): lb --help says the same.`, 1);
}
