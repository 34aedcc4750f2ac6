import type { Command } from "commander";
import { ask } from "../control/control-client.ts";
import type { ControlAddress } from "../control/control-directory.ts";
import { instanceName } from "../control/instance-names.ts";
import type { OutputLine } from "../model/output-line.ts";
import { CliError } from "./cli-error.ts";
import { claimFile, logFile, readLaunch } from "./daemon/launch.ts";
import { lastLines, newLines } from "./daemon/log-tail.ts";
import { ownerOf } from "./daemon/pid-file.ts";
import { isRunning } from "./daemon/process-state.ts";
import { wholeNumber } from "./flag-values.ts";
import { type InstanceAddress, instances } from "./instance-address.ts";
import { labelled } from "./output-writer.ts";
import { say } from "./say.ts";
import { about, findTarget, runningClusters, type Target } from "./targets.ts";

interface LogsFlags extends Target {
  readonly lines: number;
  readonly follow?: boolean;
}

export function addLogsCommand(program: Command): void {
  about(program.command("logs"))
    .argument("[which]", "a cluster (shop), one instance alone (2, py:2), or a backend's (py)")
    .description("show what the instances wrote; of a cluster in the background also what lb did, and after its end")
    .option("-n, --lines <n>", "how many lines", wholeNumber(0), 100)
    .option("-f, --follow", "and what they write from now on, until interrupted")
    .action(async (which: string | undefined, flags: LogsFlags) => {
      const isName = which !== undefined && flags.name === undefined && (await isCluster(which));
      const target = isName ? { ...flags, name: which } : flags;
      const of = which === undefined || isName ? undefined : instances(which);
      const running = await findTarget(target).catch((error: unknown) => {
        if (error instanceof CliError && error.exitCode === 3 && target.name !== undefined) return undefined;
        throw error;
      });
      const name = running?.name ?? target.name!;
      const file = fileOf(name, running);
      if (file !== undefined) return fromFile(file, of, flags, running);
      // It has ended, and never wrote a log: the error says what runs.
      await fromPrimary(running ?? (await findTarget(target)), of, flags);
    });
}

async function isCluster(name: string): Promise<boolean> {
  return readLaunch(name) !== undefined || (await runningClusters()).some((one) => one.name === name);
}

/** Undefined: what this cluster writes goes to no file, although one of its name did earlier, perhaps. */
function fileOf(name: string, running: ControlAddress | undefined): string | undefined {
  const launch = readLaunch(name);
  if (launch === undefined) return undefined;
  return running === undefined || ownerOf(claimFile(name)) === running.pid ? logFile(launch) : undefined;
}

async function fromPrimary({ path }: ControlAddress, of: InstanceAddress | undefined, flags: LogsFlags): Promise<void> {
  const argument = {
    lines: flags.lines,
    follow: flags.follow === true,
    ...(of?.backend !== undefined && { backend: of.backend }),
    ...(of?.id !== undefined && { instance: of.id }),
  };
  await ask({
    path,
    command: "logs",
    argument,
    told: (line) => console.log(labelled(line as OutputLine, process.stdout)),
  });
}

async function fromFile(
  file: string,
  of: InstanceAddress | undefined,
  { lines, follow }: LogsFlags,
  running: ControlAddress | undefined,
): Promise<void> {
  const isWanted = isOf(of);
  const coming = follow === true ? newLines(file, () => running !== undefined && isRunning(running.pid)) : undefined;
  for (const line of await lastLines(file, lines, 0, isWanted)) say(line);
  if (coming === undefined) return;
  for await (const line of coming) if (isWanted(line)) say(line);
}

/** By what stands before each line. */
function isOf(of: InstanceAddress | undefined): (line: string) => boolean {
  if (of === undefined) return () => true;
  const { backend, id } = of;
  const label = id === undefined ? `${backend}:\\d+` : instanceName(id, backend === "app" ? undefined : backend);
  const start = new RegExp(`^(\\S+Z )?${backend === "app" && id === undefined ? "\\d+" : label} \\|`);
  return (line) => start.test(line);
}
