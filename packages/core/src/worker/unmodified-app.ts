import { Module } from "node:module";
import { relative } from "node:path";
import { LbError } from "../model/errors.ts";
import type { StartingInstance } from "./agent.ts";
import type { App, AppOnOwnPort } from "./app-server.ts";
import { noteProgram } from "./program.ts";
import type { Unserving } from "./unserving.ts";

/**
 * Runs a program that knows nothing of us as Node would have run it by itself: it is the main module, and what it throws
 * ends the process. Resolves when its app can be reached, in this process or in one that the program starts, or
 * in a thread; of one that serves nobody when it has run for a while. One that does not listen in time is ended by the primary.
 */
export async function startUnmodifiedApp(
  entry: string,
  args: readonly string[],
  instance: StartingInstance,
): Promise<App | AppOnOwnPort | Unserving> {
  noteProgram({ entry: shown(entry), fail: (code, message) => instance.fail(new LbError(code, message)) });
  Object.assign(process.env, instance.childVariables());
  process.argv = [process.argv[0]!, entry, ...args];
  // In a turn of its own, so that what it throws is not ours to catch.
  setImmediate(() => (Module as unknown as { runMain(): void }).runMain());
  return (await instance.reachable()) as App | AppOnOwnPort | Unserving;
}

/** As the user would write it. */
function shown(entry: string): string {
  const path = relative(process.cwd(), entry);
  return path.startsWith("..") ? entry : path;
}
