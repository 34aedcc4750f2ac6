import { setTimeout as after } from "node:timers/promises";
import type { Command } from "commander";
import { ask } from "../control/control-client.ts";
import type { ControlAddress } from "../control/control-directory.ts";
import { allInstances } from "../control/instance-names.ts";
import { counted } from "../log/words.ts";
import { CliError } from "./cli-error.ts";
import { isRunning } from "./daemon/process-state.ts";
import { milliseconds } from "./flag-values.ts";
import { statusOf } from "./look-commands.ts";
import { say } from "./say.ts";
import { about, findTarget, named, runningClusters, type Target } from "./targets.ts";

/** How long a primary may take to end, drain included. */
const defaultTimeoutMs = 120_000;
const lookMs = 50;
/** A drain that takes longer says how far it is, this often. */
const progressMs = 1_000;

interface StopFlags extends Target {
  readonly all?: boolean;
  readonly timeout?: number;
  readonly json?: boolean;
}

/** What is said on the way is not, where JSON is asked for. */
interface Stopping {
  readonly timeoutMs: number;
  readonly json: boolean;
}

export function addStopCommand(program: Command): void {
  about(program.command("stop"))
    .argument("[name]", "which cluster, if several run")
    .description("drain and end a cluster, and wait for its end")
    .option("--all", "all clusters of this user")
    .option("--timeout <time>", "how long to wait (default: 2m)", milliseconds)
    .option("--json", "as JSON, one cluster a line")
    .action(
      async (
        name: string | undefined,
        { all, timeout: timeoutMs = defaultTimeoutMs, json = false, ...flags }: StopFlags,
      ) => {
        if (all !== true) return stop(await findTarget(named(name, flags)), { timeoutMs, json });
        if (name !== undefined || flags.name !== undefined || flags.pid !== undefined)
          throw new CliError("--all is all of them: leave out which one.", 2);
        await stopAll(await runningClusters(), { timeoutMs, json });
      },
    );
}

/** Each is told to end before any is waited for. */
async function stopAll(clusters: readonly ControlAddress[], how: Stopping): Promise<void> {
  if (clusters.length === 0 && !how.json) say("No cluster of this user runs here.");
  const ended = await Promise.allSettled(clusters.map((cluster) => stop(cluster, how)));
  const failures = ended.flatMap((end) => (end.status === "rejected" ? [(end.reason as Error).message] : []));
  if (failures.length > 0) throw new CliError(failures.join("\n"), 1);
}

async function stop(target: ControlAddress, { timeoutMs, json }: Stopping): Promise<void> {
  const { path, pid, name } = target;
  await ask({ path, command: "stop", timeoutMs: 5_000 });
  const began = performance.now();
  let saidAt = began;
  while (isRunning(pid)) {
    const now = performance.now();
    if (now - began > timeoutMs) {
      const remedy = `kill -TERM ${pid} once more ends it at once, with what is in flight.`;
      throw new CliError(`${name} (pid ${pid}) still runs after ${timeoutMs / 1_000} s: ${remedy}`, 1);
    }
    if (!json && now - saidAt >= progressMs) {
      saidAt = now;
      const progress = await progressOf(target);
      if (progress !== undefined) say(`${name} drains: ${progress}`);
    }
    await after(lookMs);
  }
  const tookMs = Math.round(performance.now() - began);
  say(json ? JSON.stringify({ name, pid, tookMs }) : `${name} has ended`);
}

/** Undefined: its end is so near that it does not say. */
async function progressOf(target: ControlAddress): Promise<string | undefined> {
  const status = await statusOf(target).catch(() => undefined);
  if (status === undefined) return undefined;
  const instances = allInstances(status).map((one) => one.status);
  const ended = instances.filter(({ pid }) => pid === null).length;
  const inFlight = instances.reduce((sum, one) => sum + one.inFlight, 0);
  const open = inFlight === 0 ? "" : `, ${counted(inFlight, "request")} in flight`;
  return `${ended} of ${counted(instances.length, "instance")} ended${open}`;
}
