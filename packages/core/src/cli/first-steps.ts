import { existsSync } from "node:fs";
import { basename } from "node:path";
import { counted } from "../log/words.ts";
import { configFileHere } from "./config-file.ts";
import { say } from "./say.ts";
import { runningClusters } from "./targets.ts";

/** What `lb` alone says: what comes next, here and now. All there is stands in `lb --help`. */
export async function firstSteps(): Promise<void> {
  const config = configFileHere();
  const running = await runningClusters().catch(() => []);
  const start =
    config !== undefined
      ? `lb start               what ${basename(config)} says`
      : existsSync("package.json")
        ? "lb start .             the package in this directory, on every core"
        : 'lb start <entry>       an app of Node.js, on every core; lb start --exec "<command>" any program';
  const named = running.length === 1 ? ` ${running[0]!.name}` : "";
  const next =
    running.length === 0
      ? ["lb doctor              what would be in its way on this machine"]
      : [
          `lb ls                  ${counted(running.length, "cluster")} of yours ${running.length === 1 ? "runs" : "run"}`,
          `${`lb reload${named}`.padEnd(22)} a new version, without a request dropped`,
          `${`lb logs${named} -f`.padEnd(22)} what they write`,
        ];
  const lines = [
    "One app on every core, no request dropped.",
    "",
    `  ${start}`,
    "  lb start … -d          in the background",
    ...next.map((line) => `  ${line}`),
    "  lb --help              all commands; lb <command> --help all that one can do",
  ];
  for (const line of lines) say(line);
}
