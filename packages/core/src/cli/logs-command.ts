import type { Command } from "commander";
import { ask } from "../control/control-client.ts";
import { type ControlAddress, listedName } from "../control/control-directory.ts";
import { instanceName } from "../control/instance-names.ts";
import type { OutputLine } from "../model/output-line.ts";
import { type StatusRange, statusRange, wantedCombined, wantedJson } from "./access-lines.ts";
import { CliError } from "./cli-error.ts";
import { claimFile, logFile, readLaunch } from "./daemon/launch.ts";
import { lastLines, newLines } from "./daemon/log-tail.ts";
import { ownerOf } from "./daemon/pid-file.ts";
import { isRunning } from "./daemon/process-state.ts";
import { wholeNumber } from "./flag-values.ts";
import { type InstanceAddress, instances } from "./instance-address.ts";
import { statusOf } from "./look-commands.ts";
import { labelled } from "./output-writer.ts";
import { say } from "./say.ts";
import { about, findTarget, runningClusters, type Target } from "./targets.ts";

interface LogsFlags extends Target {
  readonly lines: number;
  readonly follow?: boolean;
  readonly access?: boolean;
  readonly status?: StatusRange;
  readonly route?: string;
}

export function addLogsCommand(program: Command): void {
  about(program.command("logs"))
    .argument("[which]", "a cluster (shop), one instance alone (2, py:2), or a backend's (py)")
    .description("show what the instances wrote; of a cluster in the background also what lb did, and after its end")
    .option("-n, --lines <n>", "how many lines", wholeNumber(0), 100)
    .option("-f, --follow", "and what they write from now on, until interrupted")
    .option("-a, --access", "the access log instead, if it is a file: a line for each request")
    .option("--status <status>", "of the access log: 404, 5xx, 400-499", statusRange)
    .option("--route <name>", "of the access log: what took this route")
    .action(async (which: string | undefined, flags: LogsFlags) => {
      const isName = which !== undefined && flags.name === undefined && (await isCluster(which));
      const target = isName ? { ...flags, name: which } : flags;
      const of = which === undefined || isName ? undefined : instances(which);
      if (flags.access === true) return fromAccessLog(await findTarget(target), of, flags);
      if (flags.status !== undefined || flags.route !== undefined)
        throw new CliError("--status and --route are of the access log: give --access, too.", 2);
      const running = await findTarget(target).catch((error: unknown) => {
        if (error instanceof CliError && error.exitCode === 3 && target.name !== undefined) return undefined;
        throw error;
      });
      const name = running?.name ?? target.name!;
      const file = fileOf(name, running);
      if (file !== undefined) return fromFile(file, isOf(of), flags, running);
      // It has ended, and never wrote a log: the error says what runs.
      await fromPrimary(running ?? (await findTarget(target)), of, flags);
    });
}

async function isCluster(name: string): Promise<boolean> {
  return readLaunch(name) !== undefined || (await runningClusters()).some((one) => one.name === listedName(name));
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

async function fromAccessLog(
  running: ControlAddress,
  of: InstanceAddress | undefined,
  flags: LogsFlags,
): Promise<void> {
  const { accessLog } = await statusOf(running);
  if (accessLog === null)
    throw new CliError("There is no access log. Give lb start --access-log <path>, or the option accessLog.", 1);
  const { file, format } = accessLog;
  if (file === null)
    throw new CliError("The access log goes to no file of its own, but to standard output or to a function.", 1);
  const { status, route } = flags;
  if (format !== "json" && (route !== undefined || of !== undefined || (format === "own" && status !== undefined)))
    throw new CliError(`The access log has the format ${format}, in which that is not told.`, 1);
  const isWanted =
    format === "json"
      ? wantedJson({ status, route, of })
      : format === "combined"
        ? wantedCombined({ status })
        : () => true;
  await fromFile(file, isWanted, flags, running);
}

async function fromFile(
  file: string,
  isWanted: (line: string) => boolean,
  { lines, follow }: Pick<LogsFlags, "lines" | "follow">,
  running: ControlAddress | undefined,
): Promise<void> {
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
