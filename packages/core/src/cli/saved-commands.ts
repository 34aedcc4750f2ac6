import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { listedName } from "../control/control-directory.ts";
import { printable } from "../log/printable.ts";
import { CliError } from "./cli-error.ts";
import { detach, sayWhere } from "./daemon/detach.ts";
import { claimFile, isLaunch, type Launch, readJson, readLaunch, writeWhole } from "./daemon/launch.ts";
import { ownerOf } from "./daemon/pid-file.ts";
import { makeDirectory, stateDirectory } from "./daemon/state-directory.ts";
import { say } from "./say.ts";
import { runningClusters } from "./targets.ts";

const savedFile = () => join(stateDirectory(), "saved.json");

/** For machines on which clusters are started by hand, and are to be there again after a reboot. */
export function addSavedCommands(program: Command): void {
  program.command("save").description("note which clusters run in the background, for `lb resurrect`").action(save);
  program
    .command("resurrect")
    .description("start those of the noted clusters that do not run; `lb startup --saved` has the machine do it")
    .action(resurrect);
}

async function save(): Promise<void> {
  const launches: Launch[] = [];
  for (const { name, pid } of await runningClusters()) {
    const launch = readLaunch(name);
    if (launch !== undefined && ownerOf(claimFile(name)) === pid) launches.push(launch);
    else say(`${name} (pid ${pid}) was not started with -d, and is not noted`);
  }
  makeDirectory(stateDirectory());
  writeWhole(savedFile(), launches);
  say(`noted: ${launches.length === 0 ? "none" : launches.map(({ name }) => name).join(", ")} (${savedFile()})`);
}

async function resurrect(): Promise<void> {
  const saved = readJson(savedFile());
  if (!Array.isArray(saved)) throw new CliError("No clusters are noted: lb save does it, while they run.", 1);
  const running = new Set((await runningClusters()).map(({ name }) => name));
  let failures = 0;
  for (const launch of saved.filter(isLaunch)) {
    if (running.has(listedName(launch.name))) {
      say(`${launch.name} runs already`);
      continue;
    }
    try {
      const usable = withPrograms(launch);
      sayWhere(usable, await detach(usable));
    } catch (error) {
      failures += 1;
      console.error(`lb: ${printable((error as Error).message)}`);
    }
  }
  if (failures > 0) throw new CliError(`${failures} of ${saved.length} noted clusters did not start.`, 1);
}

/** Node.js and `lb` may have been updated, and be elsewhere. */
function withPrograms({ command, ...launch }: Launch): Launch {
  const [node = "", ...others] = command;
  const cli = others.findIndex((word) => !word.startsWith("-"));
  const words = others.map((word, at) => (at === cli && !existsSync(word) ? process.argv[1]! : word));
  return { ...launch, command: [existsSync(node) ? node : process.execPath, ...words] };
}
