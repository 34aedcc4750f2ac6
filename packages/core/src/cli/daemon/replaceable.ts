import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { logicalDirectory } from "../../cluster/logical-directory.ts";
import type { Replaceable } from "../../cluster/replaceable.ts";
import type { Predecessor } from "../../upgrade/predecessor.ts";
import { type DetachedFacts, detachedVariable } from "./detached.ts";
import { standIn } from "./stand-in.ts";

/** This process as it was called, by the links that led to it: they may lead to another version by now. */
export function ownCommand(): readonly [string, ...string[]] {
  const { argv, argv0, execArgv, env } = process;
  const [, cli = "", ...args] = argv;
  return [nodeAsCalled(argv0, env["PATH"]), ...execArgv, cli, ...args];
}

function nodeAsCalled(called: string, path = ""): string {
  const places = called.includes("/") ? [resolve(called)] : path.split(delimiter).map((folder) => join(folder, called));
  // What it was started by may be a name that says nothing.
  return places.find((place) => /^node/.test(called.split("/").at(-1)!) && existsSync(place)) ?? process.execPath;
}

/** How the primary in this process is replaced by another one, as of now. */
export function replaceable(
  predecessor: Predecessor | undefined,
  detached: DetachedFacts | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Replaceable {
  return {
    predecessor,
    launch: () => ({
      command: ownCommand(),
      cwd: logicalDirectory(process.cwd(), env["PWD"]),
      env: { ...env, ...(detached !== undefined && { [detachedVariable]: JSON.stringify(detached) }) },
    }),
    // systemd is told which process the service is; whoever was there before has somebody behind already, or nobody.
    staysBehind: detached === undefined && predecessor === undefined && env["NOTIFY_SOCKET"] === undefined,
    succeeded: (pid, lifeline) => {
      if (lifeline !== undefined) standIn(pid, lifeline);
    },
  };
}
