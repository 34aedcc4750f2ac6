import { Module } from "node:module";
import { relative } from "node:path";
import { LbError } from "../model/errors.ts";
import type { StartingInstance } from "../worker/agent.ts";
import type { App, AppOnOwnPort } from "../worker/app-server.ts";
import { noteProgram } from "../worker/program.ts";

/**
 * Runs a program that knows nothing of us as Node would have run it by itself: it is the main module, and what it throws
 * ends the process. Resolves when its app can be reached, in this process or in one that the program starts, or
 * in a thread. A program that throws or ends before is told to the primary; one that does not listen in time is ended by it.
 */
export async function startUnmodifiedApp(
  entry: string,
  args: readonly string[],
  instance: StartingInstance,
): Promise<App | AppOnOwnPort> {
  noteProgram({ entry: shown(entry), fail: (code, message) => instance.fail(new LbError(code, message)) });
  Object.assign(process.env, instance.childVariables());
  process.argv = [process.argv[0]!, entry, ...args];
  const thrown = (error: unknown) => {
    // Where the program listens for that itself, it lives on.
    if (process.listenerCount("uncaughtException") === 0) instance.fail(threwBefore(entry, error));
  };
  const ended = (exitCode: number) => instance.fail(endedBefore(entry, exitCode));
  process.on("uncaughtExceptionMonitor", thrown);
  process.on("exit", ended);
  // In a turn of its own, so that what it throws is not ours to catch.
  setImmediate(() => (Module as unknown as { runMain(): void }).runMain());
  const app = await instance.reachable();
  process.off("uncaughtExceptionMonitor", thrown);
  process.off("exit", ended);
  return app as App | AppOnOwnPort;
}

/** Without the stack: Node has this process write it where the program's output goes. */
function threwBefore(entry: string, error: unknown): LbError {
  const message = error instanceof Error ? error.message : String(error);
  // Some go on for lines, all of which are in that output; some have nothing but a code.
  const [text] = (message === "" ? String((error as { code?: unknown }).code ?? "an error") : message).split("\n", 1);
  return new LbError("LB_APP_THREW", `${shown(entry)} threw before it listened: ${text}`);
}

function endedBefore(entry: string, exitCode: number): LbError {
  const remedy =
    exitCode === 0
      ? "A program that is to run in instances listens for HTTP and goes on running."
      : "What it wrote says why.";
  return new LbError("LB_APP_ENDED", `${shown(entry)} ended with exit code ${exitCode} before it listened. ${remedy}`);
}

/** As the user would write it. */
function shown(entry: string): string {
  const path = relative(process.cwd(), entry);
  return path.startsWith("..") ? entry : path;
}
