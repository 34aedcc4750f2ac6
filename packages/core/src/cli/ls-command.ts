import type { Command } from "commander";
import type { ControlAddress } from "../control/control-directory.ts";
import { allInstances, readiness } from "../control/instance-names.ts";
import type { ClusterStatus } from "../control/status.ts";
import { span } from "../log/words.ts";
import { megabytes, shortNumber } from "./figures.ts";
import { statusOf } from "./look-commands.ts";
import { say } from "./say.ts";
import { phaseOf, styled, table, urlsOf } from "./status-table.ts";
import { runningClusters } from "./targets.ts";

export function addLsCommand(program: Command): void {
  program
    .command("ls")
    .alias("list")
    .description("show all clusters of this user")
    .option("--json", "as JSON, one cluster a line")
    .action(async ({ json }: { json?: boolean }) => {
      const clusters = await Promise.all(
        (await runningClusters()).map(async (address) => ({
          address,
          status: await statusOf(address).catch(() => undefined),
        })),
      );
      clusters.sort(
        (one, other) => one.address.name.localeCompare(other.address.name) || one.address.pid - other.address.pid,
      );
      if (json === true) for (const { status } of clusters) if (status !== undefined) say(JSON.stringify(status));
      if (json === true) return;
      if (clusters.length === 0) {
        say("No cluster of this user runs here. Start one with: lb start <entry>");
        return;
      }
      const titles = ["name", "pid", "url", "mode", "ready", "up", "req/s", "cpu", "memory", "state"];
      const rows = clusters.map(({ address, status }) => rowOf(address, status));
      say(table(titles, rows, [0, 2, 3, 9]).join("\n"));
    });
}

function rowOf({ name, pid }: ControlAddress, status: ClusterStatus | undefined): readonly string[] {
  if (status === undefined)
    return [name, String(pid), "-", "-", "-", "-", "-", "-", "-", styled("red", "does not answer")];
  const { traffic, phase, uptimeMs, mode } = status;
  const processes = [status.vitals, ...allInstances(status).map((one) => one.status.vitals)].filter(
    (one) => one !== null,
  );
  const cpu = processes.reduce((sum, one) => sum + one.cpu, 0);
  const rss = processes.reduce((sum, one) => sum + one.rssBytes, 0);
  return [
    name,
    String(pid),
    urlsOf(status).join(" "),
    mode,
    readiness(status),
    phase === "starting" ? "-" : span(uptimeMs),
    shortNumber(traffic.lastMinute?.requestsPerSecond ?? 0),
    `${Math.round(cpu * 100)} %`,
    megabytes(rss),
    stateOf(status),
  ];
}

/** What is amiss, or goes on. In the last column, so that colours move nothing. */
function stateOf(status: ClusterStatus): string {
  const phase = phaseOf(status);
  if (!phase.startsWith("up ")) return styled("yellow", phase);
  const states = allInstances(status).map((one) => one.status.state);
  const others = [...new Set(states.filter((state) => state !== "ready"))];
  return others.length === 0 ? styled("green", "running") : styled("red", `degraded (${others.join(", ")})`);
}
