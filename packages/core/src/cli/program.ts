import { setTimeout as after } from "node:timers/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { ask, ControlError } from "../control/control-client.ts";
import type { ControlAddress } from "../control/control-directory.ts";
import type { ClusterStatus } from "../control/status.ts";
import type { CanaryOptions, ReloadOptions } from "../reload-options.ts";
import type { OutputLine } from "../supervisor/output-history.ts";
import type { ReloadProgress } from "../supervisor/rolling-reload.ts";
import { CliError } from "./cli-error.ts";
import { distribution } from "./distribution.ts";
import { labelled } from "./output-writer.ts";
import { type StartFlags, start } from "./start.ts";
import { statusTable } from "./status-table.ts";
import { findTarget, type Target } from "./targets.ts";

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

/** The command line of `lb`. Rejects with what goes wrong; see `main.ts` for the exit codes. */
export function createProgram(version: string): Command {
  const program = new Command("lb")
    .description("One Node.js app on every core, no request dropped.")
    .version(version)
    .showSuggestionAfterError()
    // Commands take this over when they are made.
    .exitOverride();

  program
    .command("start")
    .argument("[entry]", "the app: any program that listens on process.env.PORT")
    .argument("[args...]", "arguments of the app, behind --")
    .description("run an app as a cluster, in the foreground")
    .option("-i, --instances <n>", 'how many, or "auto"')
    .option("-p, --port <port>", "the public port")
    .option("--host <address>", "where the public port listens (127.0.0.1)")
    .option("--mode <mode>", "proxy or handoff")
    .option("--strategy <name>", "how an instance is chosen")
    .option("--affinity <rules>", "cookie, ip, socket.io, header:<name>, query:<name>; several with commas")
    .option("--name <name>", "what the other commands call it (the entry's name)")
    .option("--config <file>", "instead of lb.config.{ts,js,mjs,cjs,json}; PM2's ecosystem.config.js too")
    .option("--only <name>", "of several apps in PM2's file, this one")
    .option("--env <name>", "with the variables of env_<name> in PM2's file")
    .action((entry: string | undefined, args: string[], flags: StartFlags) => start(entry, args, flags));

  about(program.command("status"))
    .description("show the instances")
    .option("--json", "as JSON")
    .option("--watch", "again every second, until interrupted")
    .action(async (flags: Target & { json?: boolean; watch?: boolean }) => {
      const { path } = findTarget(flags);
      for (;;) {
        const status = (await ask(path, "status", undefined)) as ClusterStatus;
        if (flags.watch === true && process.stdout.isTTY) process.stdout.write("\u001b[2J\u001b[H");
        console.log(flags.json === true ? JSON.stringify(status) : statusTable(status));
        if (flags.watch !== true) return;
        await after(1_000);
      }
    });

  about(program.command("reload"))
    .description("replace all instances by new ones of the same program, one after the other")
    .option("--parallelism <n>", "instances at a time", number)
    .option("--max-unavailable <n>", "so many end first and start anew", number)
    .option("--watch <ms>", "how long a new one must do well", number)
    .addOption(new Option("--rollback <what>", "what a failure takes back").choices(["instance", "set"]))
    .option("--canary <share>", "try a new one with this share of the requests first, e.g. 0.05", number)
    .option("--canary-for <ms>", "for how long", number)
    .action(async (flags: ReloadFlags) => {
      const result = await withProgress(findTarget(flags), "reload", reloadOptions(flags));
      const { replaced, durationMs, canary } = result as {
        replaced: number[];
        durationMs: number;
        canary?: { reason: string };
      };
      if (canary !== undefined) console.log(`canary: ${canary.reason}`);
      console.log(`replaced ${replaced.length} instance(s) in ${(durationMs / 1_000).toFixed(1)} s`);
    });

  about(program.command("scale"))
    .argument("<instances>", "how many there are to be", number)
    .description("start or end instances")
    .action(async (instances: number, flags: Target) => {
      await ask(findTarget(flags).path, "scale", instances);
      console.log(`there are ${instances} instance(s) now`);
    });

  for (const [command, description, done] of [
    ["restart", "replace one instance", "was replaced"],
    ["drain", "take one instance out of rotation", "gets no traffic, and nothing is in flight on it"],
    ["resume", "put it back", "is back in rotation"],
  ] as const) {
    about(program.command(command))
      .argument("<id>", "the instance's number, from 1", number)
      .description(description)
      .action(async (id: number, flags: Target) => {
        const target = findTarget(flags);
        if (command === "restart") await withProgress(target, command, id);
        else await ask(target.path, command, id);
        console.log(`instance ${id} ${done}`);
      });
  }

  about(program.command("stop"))
    .description("drain and end the cluster")
    .action(async (flags: Target) => {
      const { path, pid, name } = findTarget(flags);
      await ask(path, "stop", undefined);
      const deadline = performance.now() + stopTimeoutMs;
      while (isAlive(pid)) {
        if (performance.now() > deadline)
          throw new CliError(`${name} (pid ${pid}) still runs after ${stopTimeoutMs / 1_000} s.`, 1);
        await after(50);
      }
      console.log(`${name} has ended`);
    });

  about(program.command("logs"))
    .argument("[id]", "one instance's alone", number)
    .description("show what the instances wrote")
    .option("-n, --lines <n>", "how many lines", number, 100)
    .option("-f, --follow", "and what they write from now on, until interrupted")
    .action(async (instance: number | undefined, flags: Target & { lines: number; follow?: boolean }) => {
      const { path } = findTarget(flags);
      const argument = {
        lines: flags.lines,
        follow: flags.follow === true,
        ...(instance === undefined ? {} : { instance }),
      };
      await ask(path, "logs", argument, (line) => console.log(labelled(line as OutputLine)));
    });

  about(program.command("test"))
    .description("send requests and show which instances they went to")
    .option("-n, --requests <n>", "how many", number, 40)
    .option("--path <path>", "what to ask for", "/")
    .action(async (flags: Target & { requests: number; path: string }) => {
      const { path } = findTarget(flags);
      const before = (await ask(path, "status", undefined)) as ClusterStatus;
      const outcomes = await distribution(new URL(flags.path, before.url).href, flags.requests);
      const now = (await ask(path, "status", undefined)) as ClusterStatus;
      for (const { id, requests } of now.instances) {
        const count = requests - (before.instances.find((one) => one.id === id)?.requests ?? 0);
        console.log(
          `instance ${id}  ${String(count).padStart(6)}  ${"#".repeat(Math.round((count / flags.requests) * 40))}`,
        );
      }
      for (const [outcome, count] of outcomes) console.log(`${outcome}: ${count}`);
      const failed = [...outcomes].some(([outcome]) => !/^status [1-4]/.test(outcome));
      if (failed) throw new CliError("Not all requests were answered.", 1);
    });

  return program;
}

/** The options by which a running cluster is named. */
function about(command: Command): Command {
  return command
    .option("--name <name>", "which cluster, if several run")
    .option("--pid <pid>", "the same by its primary's process", number);
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It is to be a number.");
  return value;
}

function reloadOptions({
  parallelism,
  maxUnavailable,
  watch,
  rollback,
  canary,
  canaryFor,
}: ReloadFlags): ReloadOptions {
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
  try {
    return await ask(path, command, argument, (event) => {
      const { step, instance, done, total } = event as ReloadProgress;
      if (instance !== undefined && step !== "rolled-back")
        console.log(`[${done}/${total}] instance ${instance} ${step}`);
    });
  } catch (error) {
    if (error instanceof ControlError && error.code.startsWith("LB_RELOAD_")) throw new CliError(error.message, 4);
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
