import type { Command } from "commander";
import { ask } from "../control/control-client.ts";
import type { DeniedRange } from "../control/denied-range.ts";
import { milliseconds } from "./flag-values.ts";
import { say } from "./say.ts";
import { table } from "./status-table.ts";
import { about, findTarget, type Target } from "./targets.ts";

interface DenyFlags extends Target {
  readonly for?: number;
  readonly json?: boolean;
}

/** The commands that keep addresses out. */
export function addDenyCommands(program: Command): void {
  about(program.command("deny"))
    .argument("[range]", "an address, or a range such as 203.0.113.0/24; without it: show those that are kept out")
    .description("keep addresses out")
    .option("--for <time>", "so long, e.g. 10m (default: until `lb allow`, or the cluster ends)", milliseconds)
    .option("--json", "as JSON")
    .action(async (range: string | undefined, { for: forMs, json, ...flags }: DenyFlags) => {
      const { path } = await findTarget(flags);
      if (range === undefined) {
        const denied = (await ask({ path, command: "denied" })) as readonly DeniedRange[];
        say(json === true ? JSON.stringify(denied) : tableOf(denied));
        return;
      }
      const denied = (await ask({ path, command: "deny", argument: { range, forMs } })) as DeniedRange;
      say(json === true ? JSON.stringify(denied) : `${denied.range} is kept out ${howLong(denied)}`);
      if (denied.loopback && json !== true) {
        say(`That includes this machine's own programs, such as health checks: lb allow ${denied.range} takes it back`);
      }
    });

  about(program.command("allow"))
    .argument("<range>", "as it was given to `lb deny`")
    .description("let addresses in that were kept out")
    .action(async (range: string, flags: Target) => {
      const { path } = await findTarget(flags);
      const was = await ask({ path, command: "allow", argument: range });
      say(was === true ? `${range} is let in` : `${range} was not kept out by itself: lb deny shows what is`);
    });
}

function tableOf(denied: readonly DeniedRange[]): string {
  if (denied.length === 0) return "nobody is kept out";
  const rows = denied.map((one) => [one.range, howLong(one)]);
  return table(["range", "kept out"], rows, [0, 1]).join("\n");
}

function howLong({ leftMs }: DeniedRange): string {
  if (leftMs === null) return "for good";
  const seconds = Math.ceil(leftMs / 1_000);
  if (seconds < 120) return `for ${seconds}s`;
  return seconds < 7_200 ? `for ${Math.round(seconds / 60)}m` : `for ${Math.round(seconds / 3_600)}h`;
}
