import type { Clock } from "../model/clock.ts";

/** Time for the process to end by itself once it serves nobody. */
const settleMs = 500;

export interface ProcessEnd {
  /** SIGTERM came from outside, so the app's handlers of it, if it has any, have run already. */
  readonly signalled: boolean;
  readonly clock: Clock;
}

/**
 * Lets a process that serves nobody any more end, without `process.exit`, which would cut off what the app still
 * writes. Called when our own signal listeners are gone.
 *
 * With nothing open, Node ends the process at once. An app that holds something (a pool, a timer) closes it in its
 * handler of SIGTERM, as it would without us: that is called now, unless it was called before. An app without one
 * gets a moment for what it does on its server's `close`; then the signal's default action ends it.
 */
export function endProcess({ signalled, clock }: ProcessEnd): void {
  if (process.listenerCount("SIGTERM") === 0) {
    clock.after(settleMs, () => process.kill(process.pid, "SIGTERM"));
  } else if (!signalled) {
    // Not `process.kill`: without anything open, Node would end before it looks for signals.
    process.emit("SIGTERM", "SIGTERM");
  }
}
