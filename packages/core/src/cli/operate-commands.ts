import { type Command, InvalidArgumentError, Option } from "commander";
import type { ClusterReloadReport, ReloadReport } from "../cluster/reload-report.ts";
import { ask, ControlError } from "../control/control-client.ts";
import type { ControlAddress } from "../control/control-directory.ts";
import { instanceName } from "../control/instance-names.ts";
import type { ClusterStatus } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import { counted } from "../log/words.ts";
import type { CanaryOptions, ReloadOptions } from "../options/reload-options.ts";
import { CliError } from "./cli-error.ts";
import { milliseconds, wholeNumber } from "./flag-values.ts";
import { group, type InstanceAddress, instance, instances } from "./instance-address.ts";
import { statusOf } from "./look-commands.ts";
import { say } from "./say.ts";
import { type ScaleArgument, scaleArgument } from "./scale-argument.ts";
import { about, findTarget, namesCluster, type Target } from "./targets.ts";

interface AnswerFlags extends Target {
  readonly json?: boolean;
}

/** What came of it: in words, or as JSON. */
function answer({ json }: AnswerFlags, words: string, value: unknown): void {
  say(json === true ? JSON.stringify(value) : words);
}

interface ReloadFlags extends AnswerFlags {
  readonly parallelism?: number;
  readonly maxUnavailable?: number;
  readonly watch?: number;
  readonly rollback?: "instance" | "set";
  readonly canary?: number;
  readonly canaryFor?: number;
}

/** The commands that change what runs. */
export function addOperateCommands(program: Command): void {
  program.commandsGroup("Operate:");
  about(program.command("reload"))
    .argument("[which]", 'a cluster, if several run; or a backend, whose instances alone are meant, or "app"', group)
    .description("replace all instances by new ones of the same program, one after the other")
    .option("--parallelism <n>", "instances at a time (default: 1)", wholeNumber(1))
    .option("--max-unavailable <n>", "so many end first and start anew (default: 0)", wholeNumber(0))
    .option("--watch <time>", "how long a new one must do well (default: 1s)", milliseconds)
    .addOption(
      new Option("--rollback <what>", "what a failure takes back (default: instance)").choices(["instance", "set"]),
    )
    .option("--canary <share>", "try a new one with this share of the requests first, e.g. 0.05", share)
    .option("--canary-for <time>", "for how long (default: 60s)", milliseconds)
    .option("--json", "the report as JSON")
    .action(async (which: string | undefined, flags: ReloadFlags) => {
      const isCluster = await namesCluster(which, flags);
      const target = await findTarget(isCluster ? { name: which } : flags);
      await reload(target, { backend: isCluster ? undefined : which, options: reloadOptions(flags) }, flags);
    });

  about(program.command("scale"))
    .usage("[options] [backend] <instances>")
    .argument(
      "<instances...>",
      "how many there are to be, or +1, -2; behind the name of a backend: py 3",
      scaleArgument,
    )
    .description("start or end instances")
    .option("--json", "as JSON")
    .action(async ({ backend, size }: ScaleArgument, flags: AnswerFlags) => {
      if (size === undefined) throw new CliError(`Say how many there are to be: lb scale ${backend} 3`, 2);
      const target = await findTarget(flags);
      const before = instancesOf(await statusOf(target), backend).length;
      const wanted = "to" in size ? size.to : before + size.by;
      if (wanted < 1) {
        const remedy = backend === undefined ? ": lb stop ends the cluster." : ".";
        const fewer = `${before - wanted} fewer than ${counted(before, "instance")}`;
        throw new CliError(`${fewer} would leave none${remedy}`, 2);
      }
      await ask({ path: target.path, command: "scale", argument: { backend, instances: wanted } });
      const whose = backend === undefined ? "" : ` of ${backend}`;
      answer(flags, `${thereAre(wanted)}${whose} now (before: ${before})`, { instances: wanted, before });
    });

  about(program.command("restart"))
    .argument("<id>", 'the instance: 2, py:2; py for all of those, or "all"; or a cluster, for all of it', instances)
    .description("replace one instance, or all")
    .option("--json", "as JSON")
    .action(async ({ backend, id }: InstanceAddress, flags: AnswerFlags) => {
      const isCluster = id === undefined && (await namesCluster(backend, flags));
      const target = await findTarget(isCluster ? { name: backend } : flags);
      if (id === undefined) {
        await reload(target, { backend: isCluster || backend === "all" ? undefined : backend, options: {} }, flags);
        return;
      }
      await withProgress(target, "restart", { argument: { backend, id }, flags });
      const name = instanceName(id, backend);
      answer(flags, `instance ${name} was replaced`, { instance: name });
    });

  for (const [command, description, done] of [
    ["drain", "take one instance out of rotation", "gets nothing new, and has answered what it had"],
    ["resume", "put it back", "is back in rotation"],
  ] as const) {
    about(program.command(command))
      .argument("<id>", "the instance: 2, or py:2", instance)
      .description(description)
      .option("--json", "as JSON")
      .action(async (which: InstanceAddress & { readonly id: number }, flags: AnswerFlags) => {
        const { path } = await findTarget(flags);
        await ask({ path, command, argument: which });
        const name = instanceName(which.id, which.backend);
        answer(flags, `instance ${name} ${done}`, { instance: name });
      });
  }

  about(program.command("signal"))
    .argument("<id>", "the instance: 2, py:2; py for all of those", instances)
    .argument("<signal>", "its name: SIGUSR2", signalName)
    .description("send a signal to instances")
    .action(async (which: InstanceAddress, signal: string, flags: Target) => {
      const { path } = await findTarget(flags);
      const ids = (await ask({ path, command: "signal", argument: { ...which, signal } })) as readonly number[];
      const names = ids.map((id) => instanceName(id, which.backend)).join(", ");
      if (ids.length === 0) throw new CliError("There is no process to send it to.", 1);
      say(`${signal} was sent to instance${ids.length === 1 ? "" : "s"} ${names}`);
    });
}

interface ReloadArgument {
  /** Undefined: all there is is reloaded. */
  readonly backend: string | undefined;
  readonly options: ReloadOptions;
}

async function reload(target: ControlAddress, argument: ReloadArgument, flags: AnswerFlags): Promise<void> {
  const report = (await withProgress(target, "reload", { argument, flags })) as ClusterReloadReport;
  if (flags.json === true) return say(JSON.stringify(report));
  const others = Object.entries(report.backends ?? {});
  const all: (readonly [string | undefined, ReloadReport])[] = [[argument.backend, report], ...others];
  for (const [backend, { canary, changed = [] }] of all) {
    if (changed.length > 0) say(`${backend === undefined ? "" : `${backend}: `}changed: ${changed.join(", ")}`);
    if (canary !== undefined) say(`${backend === undefined ? "" : `${backend}: `}canary: ${canary.reason}`);
  }
  const replaced = all.reduce((sum, [, each]) => sum + each.replaced.length, 0);
  say(`replaced ${counted(replaced, "instance")} in ${(report.durationMs / 1_000).toFixed(1)} s`);
}

function reloadOptions({
  parallelism,
  maxUnavailable,
  watch,
  rollback,
  canary,
  canaryFor,
}: ReloadFlags): ReloadOptions {
  if (canary === undefined && canaryFor !== undefined) throw new CliError("--canary-for needs --canary <share>.", 2);
  const tried: CanaryOptions | undefined =
    canary === undefined ? undefined : { share: canary, ...(canaryFor === undefined ? {} : { forMs: canaryFor }) };
  return {
    ...(parallelism === undefined ? {} : { parallelism }),
    ...(maxUnavailable === undefined ? {} : { maxUnavailable }),
    ...(watch === undefined ? {} : { watchMs: watch }),
    ...(rollback === undefined ? {} : { rollback }),
    ...(tried === undefined ? {} : { canary: tried }),
  };
}

async function withProgress(
  { path }: ControlAddress,
  command: string,
  { argument, flags: { json } }: { readonly argument: unknown; readonly flags: AnswerFlags },
): Promise<unknown> {
  const told = (event: unknown) => {
    const { backend, step, instance: id, done, total } = event as ClusterEventMap["reload"];
    if (id === undefined || step === "rolled-back" || json === true) return;
    say(`[${done}/${total}] instance ${instanceName(id, backend)} ${step}`);
  };
  try {
    return await ask({ path, command, argument, told });
  } catch (error) {
    if (error instanceof ControlError && error.code.startsWith("LB_RELOAD_")) throw new CliError(error.message, 4);
    throw error;
  }
}

/** Of which there are so many now; the cluster says it if there is no such backend. */
function instancesOf({ instances: own, backends }: ClusterStatus, backend: string | undefined) {
  return backend === undefined || backend === "app"
    ? own
    : (backends.find(({ name }) => name === backend)?.instances ?? own);
}

function thereAre(instances: number): string {
  return `there ${instances === 1 ? "is" : "are"} ${counted(instances, "instance")}`;
}

/** With or without SIG before it, in any letters. */
function signalName(text: string): string {
  if (!/^[A-Za-z]{2,8}[0-9]{0,2}$/.test(text)) throw new InvalidArgumentError("Give the name of a signal: SIGUSR2.");
  const name = text.toUpperCase();
  return name.startsWith("SIG") ? name : `SIG${name}`;
}

function share(text: string): number {
  const value = /^\d*\.?\d+%?$/.test(text) ? Number.parseFloat(text) / (text.endsWith("%") ? 100 : 1) : Number.NaN;
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError("Give a share greater than 0 and less than 1, e.g. 0.05 or 5%.");
}
