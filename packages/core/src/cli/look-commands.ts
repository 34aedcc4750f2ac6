import { setTimeout as after } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import { ask } from "../control/control-client.ts";
import type { ControlAddress } from "../control/control-directory.ts";
import { allInstances } from "../control/instance-names.ts";
import type { RouteReport } from "../control/route-report.ts";
import type { ClusterStatus } from "../control/status.ts";
import { CliError } from "./cli-error.ts";
import { distribution } from "./distribution.ts";
import { wholeNumber } from "./flag-values.ts";
import { routesTable } from "./routes-table.ts";
import { say } from "./say.ts";
import { statusTable } from "./status-table.ts";
import { about, findTarget, named, type Target } from "./targets.ts";

/** A primary that runs answers at once. */
const answerMs = 5_000;

export async function statusOf({ path }: ControlAddress): Promise<ClusterStatus> {
  return (await ask({ path, command: "status", timeoutMs: answerMs })) as ClusterStatus;
}

interface RouteFlags {
  readonly method: string;
  readonly header?: Readonly<Record<string, string>>;
  readonly json?: boolean;
}

/** One of several, as curl has them. */
function field(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const colon = text.indexOf(":");
  if (colon < 1) throw new InvalidArgumentError('Give "Name: value".');
  return { ...before, [text.slice(0, colon).trim()]: text.slice(colon + 1).trim() };
}

/** The commands that change nothing. */
export function addLookCommands(program: Command): void {
  about(program.command("status"))
    .argument("[name]", "which cluster, if several run")
    .description("show the instances of a cluster")
    .option("--json", "as JSON")
    .option("--watch", "again every second, until interrupted")
    .action(async (name: string | undefined, flags: Target & { json?: boolean; watch?: boolean }) => {
      const target = await findTarget(named(name, flags));
      for (;;) {
        const status = await statusOf(target);
        if (flags.watch === true && process.stdout.isTTY) process.stdout.write("\u001b[2J\u001b[H");
        say(flags.json === true ? JSON.stringify(status) : statusTable(status));
        if (flags.watch !== true) return;
        await after(1_000);
      }
    });

  about(program.command("dashboard"))
    .description("show the link to a cluster's dashboard; keep it to yourself")
    .action(async (flags: Target) => {
      const { path, name } = await findTarget(flags);
      const link = (await ask({ path, command: "dashboard", timeoutMs: answerMs })) as string | null;
      if (link === null) throw new CliError(`${name} has no admin listener: start it with --admin.`, 1);
      say(link);
    });

  about(program.command("routes"))
    .argument("[url]", "which of them it takes: https://example.com/api, or a path")
    .description("show the routes of a cluster")
    .option("-X, --method <method>", "of the request", "GET")
    .option("-H, --header <field>", '"Name: value" of the request; several times', field)
    .option("--json", "as JSON")
    .action(async (url: string | undefined, flags: Target & RouteFlags) => {
      const { path } = await findTarget(flags);
      const question = url === undefined ? undefined : { url, method: flags.method, headers: flags.header };
      const report = (await ask({ path, command: "routes", argument: question, timeoutMs: answerMs })) as RouteReport;
      say(flags.json === true ? JSON.stringify(report) : routesTable(report));
    });

  about(program.command("test"))
    .description("send requests and show which instances they went to")
    .option("-n, --requests <n>", "how many", wholeNumber(1, 1_000_000), 40)
    .option("--path <path>", "what to ask for", "/")
    .option("--json", "as JSON")
    .action(async (flags: Target & { requests: number; path: string; json?: boolean }) => {
      const target = await findTarget(flags);
      const before = await statusOf(target);
      if (before.url.startsWith("fd:"))
        throw new CliError(`It listens on ${before.url} alone, which cannot be reached from here.`, 1);
      const outcomes = await distribution(before.url, flags.path, flags.requests);
      const now = await statusOf(target);
      const counted = new Map(allInstances(before).map(({ name, status }) => [name, status.requests]));
      const counts = allInstances(now).map(({ name, status }) => ({
        instance: name,
        requests: status.requests - (counted.get(name) ?? 0),
      }));
      if (flags.json === true) say(JSON.stringify({ instances: counts, outcomes: Object.fromEntries(outcomes) }));
      else sayDistribution(counts, outcomes, flags.requests);
      const failed = [...outcomes].some(([outcome]) => !/^status [1-4]/.test(outcome));
      if (failed) throw new CliError("Not all requests were answered.", 1);
    });
}

function sayDistribution(
  counts: readonly { readonly instance: string; readonly requests: number }[],
  outcomes: ReadonlyMap<string, number>,
  all: number,
): void {
  const width = Math.max(...counts.map(({ instance }) => instance.length));
  for (const { instance, requests } of counts) {
    const bar = "#".repeat(Math.round((requests / all) * 40));
    say(`instance ${instance.padStart(width)}  ${String(requests).padStart(6)}  ${bar}`);
  }
  for (const [outcome, count] of outcomes) say(`${outcome}: ${count}`);
}
