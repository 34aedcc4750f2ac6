import { maxFailureMessageLength, maxFailureStackLength, type WorkerFault } from "../ipc/messages.ts";
import type { Clock } from "../model/clock.ts";
import type { FaultReporter } from "./agent-faults.ts";

/** A fault may come with every request; it is told at once, and those that follow this soon are counted. */
const quietMs = 1_000;

/** Tells the primary of faults, and not of each. */
export function faultNotices(send: (fault: WorkerFault) => void, clock: Clock): FaultReporter {
  let quiet = false;
  let untold = 0;
  return (where, error) => {
    if (quiet) {
      untold++;
      return;
    }
    quiet = true;
    clock.after(quietMs, () => {
      quiet = false;
    });
    send(describe(where, error, untold));
    untold = 0;
  };
}

/** For the channel, which carries strings of bounded length. */
function describe(where: string, error: unknown, untold: number): WorkerFault {
  const fault = { where, message: messageOf(error).slice(0, maxFailureMessageLength), untold };
  const stack = error instanceof Error ? error.stack : undefined;
  return typeof stack === "string" ? { ...fault, stack: stack.slice(0, maxFailureStackLength) } : fault;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
