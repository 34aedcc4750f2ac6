import type { Command } from "commander";
import { ask } from "../control/control-client.ts";
import { span } from "../log/words.ts";
import type { UpgradeReport } from "../upgrade/report.ts";
import { milliseconds } from "./flag-values.ts";
import { say } from "./say.ts";
import { about, findTarget, named, type Target } from "./targets.ts";
import { terminalSafe } from "./terminal-safe.ts";

/** How long a new primary may take until it is ready. */
const defaultTimeoutMs = 120_000;

interface UpgradeFlags extends Target {
  readonly timeout?: number;
  readonly json?: boolean;
}

export function addUpgradeCommand(program: Command): void {
  about(program.command("upgrade"))
    .argument("[name]", "which cluster, if several run")
    .description(
      "replace the primary too: for a new version of lb or Node.js, or another configuration; no port is closed",
    )
    .option("--timeout <time>", "how long the new one may take until it is ready (default: 2m)", milliseconds)
    .option("--json", "as JSON")
    .action(
      async (name: string | undefined, { timeout: timeoutMs = defaultTimeoutMs, json, ...flags }: UpgradeFlags) => {
        const { path, name: shown } = await findTarget(named(name, flags));
        const told = (event: unknown) => {
          const { said } = event as { readonly said?: string };
          if (said !== undefined && json !== true) for (const line of said.split("\n")) say(terminalSafe(line, true));
        };
        const report = (await ask({ path, command: "upgrade", argument: { timeoutMs }, told })) as UpgradeReport;
        if (json === true) return say(JSON.stringify(report));
        const { pid, before, drainMs, durationMs } = report;
        const drain = `process ${before} drains for at most ${span(drainMs)}`;
        say(`${shown} has a new primary, process ${pid}, after ${span(durationMs)}; ${drain}`);
      },
    );
}
