import { Module } from "node:module";
import { LbError } from "../model/errors.ts";
import type { StartingInstance } from "../worker/agent.ts";
import type { App } from "../worker/app-server.ts";
import { noteProgram } from "../worker/program.ts";

/**
 * Runs a program that knows nothing of us as Node would have run it by itself: it is the main module, and what it throws
 * ends the process. Resolves with the server that it sets listening as its app. A program that throws or ends before is
 * told to the primary; one that does not listen in time is ended by it.
 */
export async function startUnmodifiedApp(
  entry: string,
  args: readonly string[],
  instance: StartingInstance,
): Promise<App> {
  noteProgram(entry);
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
  const server = await instance.listening;
  process.off("uncaughtExceptionMonitor", thrown);
  process.off("exit", ended);
  return server as App;
}

/** Without the stack: Node has this process write it where the program's output goes. */
function threwBefore(entry: string, error: unknown): LbError {
  // Of ours are those that `cluster()` throws in a program that calls it itself; they come from its own copy.
  const { code, message } = error as Partial<LbError>;
  if (typeof code === "string" && code.startsWith("LB_")) return new LbError(code, String(message));
  const text = error instanceof Error ? error.message : String(error);
  return new LbError("LB_APP_THREW", `${entry} threw before it listened: ${text}`);
}

function endedBefore(entry: string, exitCode: number): LbError {
  const remedy = "A program that is to run in instances listens for HTTP and goes on running.";
  return new LbError("LB_APP_ENDED", `${entry} ended with exit code ${exitCode} before it listened. ${remedy}`);
}
