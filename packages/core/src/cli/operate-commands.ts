import { setTimeout as after } from "node:timers/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { ask, ControlError } from "../control/control-client.ts";
import type { ControlAddress } from "../control/control-directory.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import { counted } from "../log/words.ts";
import type { CanaryOptions, ReloadOptions } from "../options/reload-options.ts";
import { CliError } from "./cli-error.ts";
import { milliseconds, wholeNumber } from "./flag-values.ts";
import { statusOf } from "./look-commands.ts";
import { say } from "./say.ts";
import { about, findTarget, type Target } from "./targets.ts";

/** How long `lb stop` waits for the primary to end, drain included. */
const stopTimeoutMs = 120_000;

interface ReloadFlags extends Target {
  readonly parallelism?: number;
  readonly maxUnavailable?: number;
  readonly watch?: number;
  readonly rollback?: "instance" | "set";
  readonly canary?: number;
  readonly canaryFor?: number;
}

/** The commands that change what runs. */
export function addOperateCommands(program: Command): void {
  about(program.command("reload"))
    .description("replace all instances by new ones of the same program, one after the other")
    .option("--parallelism <n>", "instances at a time (default: 1)", wholeNumber(1))
    .option("--max-unavailable <n>", "so many end first and start anew (default: 0)", wholeNumber(0))
    .option("--watch <time>", "how long a new one must do well (default: 1s)", milliseconds)
    .addOption(
      new Option("--rollback <what>", "what a failure takes back (default: instance)").choices(["instance", "set"]),
    )
    .option("--canary <share>", "try a new one with this share of the requests first, e.g. 0.05", share)
    .option("--canary-for <time>", "for how long (default: 60s)", milliseconds)
    .action(async (flags: ReloadFlags) => reload(await findTarget(flags), reloadOptions(flags)));

  about(program.command("scale"))
    .argument("<instances>", "how many there are to be, or +1, -2", size)
    .description("start or end instances")
    .action(async ({ by, to }: Size, flags: Target) => {
      const target = await findTarget(flags);
      const before = (await statusOf(target)).instances.length;
      const wanted = to ?? before + by;
      if (wanted < 1)
        throw new CliError(
          `There are ${counted(before, "instance")}, so ${by} would leave none: lb stop ends the cluster.`,
          2,
        );
      await ask({ path: target.path, command: "scale", argument: wanted });
      say(`there are ${counted(wanted, "instance")} now (before: ${before})`);
    });

  about(program.command("restart"))
    .argument("<id>", 'the instance\'s number, from 1, or "all"', idOrAll)
    .description("replace one instance, or all")
    .action(async (id: number | "all", flags: Target) => {
      const target = await findTarget(flags);
      if (id === "all") {
        await reload(target, {});
        return;
      }
      await withProgress(target, "restart", id);
      say(`instance ${id} was replaced`);
    });

  for (const [command, description, done] of [
    ["drain", "take one instance out of rotation", "gets nothing new, and has answered what it had"],
    ["resume", "put it back", "is back in rotation"],
  ] as const) {
    about(program.command(command))
      .argument("<id>", "the instance's number, from 1", wholeNumber(1))
      .description(description)
      .action(async (id: number, flags: Target) => {
        const { path } = await findTarget(flags);
        await ask({ path, command, argument: id });
        say(`instance ${id} ${done}`);
      });
  }

  about(program.command("stop"))
    .description("drain and end the cluster")
    .action(async (flags: Target) => stop(await findTarget(flags)));
}

async function stop({ path, pid, name }: ControlAddress): Promise<void> {
  await ask({ path, command: "stop", timeoutMs: 5_000 });
  const began = performance.now();
  let said = false;
  while (isAlive(pid)) {
    const ms = performance.now() - began;
    if (ms > stopTimeoutMs) throw new CliError(`${name} (pid ${pid}) still runs after ${stopTimeoutMs / 1_000} s.`, 1);
    if (ms > 1_000 && !said) {
      said = true;
      say(`${name} drains: its instances finish what is in flight`);
    }
    await after(50);
  }
  say(`${name} has ended`);
}

async function reload(target: ControlAddress, options: ReloadOptions): Promise<void> {
  const result = await withProgress(target, "reload", options);
  const { replaced, durationMs, canary } = result as {
    replaced: number[];
    durationMs: number;
    canary?: { reason: string };
  };
  if (canary !== undefined) say(`canary: ${canary.reason}`);
  say(`replaced ${counted(replaced.length, "instance")} in ${(durationMs / 1_000).toFixed(1)} s`);
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

async function withProgress({ path }: ControlAddress, command: string, argument: unknown): Promise<unknown> {
  const told = (event: unknown) => {
    const { step, instance, done, total } = event as ClusterEventMap["reload"];
    if (instance !== undefined && step !== "rolled-back") say(`[${done}/${total}] instance ${instance} ${step}`);
  };
  try {
    return await ask({ path, command, argument, told });
  } catch (error) {
    if (error instanceof ControlError && error.code.startsWith("LB_RELOAD_")) throw new CliError(error.message, 4);
    throw error;
  }
}

interface Size {
  readonly to?: number;
  readonly by: number;
}

function size(text: string): Size {
  const [, sign, digits] = /^([+-]?)(\d{1,4})$/.exec(text.trim()) ?? [];
  if (digits === undefined) throw new InvalidArgumentError("Give a number of instances, or a change such as +1 or -2.");
  const number = Number(digits);
  if (sign === "") return { to: wholeNumber(1, 1_024)(text), by: 0 };
  return { by: sign === "-" ? -number : number };
}

function idOrAll(text: string): number | "all" {
  if (text === "all") return text;
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give the number of an instance, from 1, or "all".');
}

function share(text: string): number {
  const value = /^\d*\.?\d+%?$/.test(text) ? Number.parseFloat(text) / (text.endsWith("%") ? 100 : 1) : Number.NaN;
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError("Give a share greater than 0 and less than 1, e.g. 0.05 or 5%.");
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
