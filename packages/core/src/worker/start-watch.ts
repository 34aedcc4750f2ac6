import type { UnservingFacts } from "../ipc/worker-facts.ts";
import { LbError } from "../model/errors.ts";
import { startedProgram } from "./program.ts";

/** Tells of a start that this process does not survive: it is known now, and needs no second start to be so. */
export function watchStart(fail: (error: LbError) => void, unserving?: UnservingFacts): () => void {
  const when = unserving === undefined ? "before it listened" : "before it was ready";
  const program = () => startedProgram()?.entry ?? "The program";
  const thrown = (error: unknown) => {
    // Where the program listens for that itself, it lives on.
    if (process.listenerCount("uncaughtException") > 0) return;
    // Without the stack: Node has this process write it where the program's output goes.
    fail(new LbError("LB_APP_THREW", `${program()} threw ${when}: ${firstLine(error)}`));
  };
  const ended = (exitCode: number) => {
    if (unserving?.stopExitCodes.includes(exitCode) === true) return;
    const runs =
      unserving === undefined
        ? "A program that is to run in instances listens for HTTP and goes on running."
        : 'One that may end when its work is done has the option "stopExitCodes": [0].';
    const why = exitCode === 0 ? runs : "What it wrote says why.";
    fail(new LbError("LB_APP_ENDED", `${program()} ended with exit code ${exitCode} ${when}. ${why}`));
  };
  process.on("uncaughtExceptionMonitor", thrown);
  process.on("exit", ended);
  return () => {
    process.off("uncaughtExceptionMonitor", thrown);
    process.off("exit", ended);
  };
}

/** Some messages go on for lines, all of which are in the output; some errors have nothing but a code. */
function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const text = message === "" ? String((error as { code?: unknown }).code ?? "an error") : message;
  return text.split("\n", 1)[0]!;
}
