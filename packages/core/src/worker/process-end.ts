import { Server as NetServer } from "node:net";
import type { StopSignal } from "../ipc/worker-facts.ts";
import type { Clock } from "../model/clock.ts";

/** Time for the process to end by itself once it serves nobody. */
const settleMs = 500;

export interface ProcessEnd {
  /** The app's, on which no connection is left; undefined: it is in a process of its own, or serves nobody. */
  readonly server: NetServer | undefined;
  /** It is in processes that the program has started. */
  readonly elsewhere: boolean;
  /** What the app has its handler for. */
  readonly stopSignal: StopSignal;
  /** SIGTERM came from outside, so the app's handlers of it, if it has any, have run already. */
  readonly signalled: boolean;
  readonly clock: Clock;
}

/**
 * Closes the server of an app that leaves its end to us. One that has a handler of its stop signal closes its server there, and
 * what runs when that is done hears of an error if it was closed before: Next.js prints it, Unleash exits with it,
 * SvelteKit waits for its time-out. Nobody but the app knows whether its handler does, so such a server is left to it.
 */
export async function closeUnlessApp(
  server: NetServer,
  { stopSignal, ours }: { readonly stopSignal: StopSignal; readonly ours: readonly NodeJS.SignalsListener[] },
): Promise<void> {
  const others = process.listeners(stopSignal as NodeJS.Signals).filter((listener) => !ours.includes(listener));
  if (!server.listening || others.length > 0) return;
  // As `net` closes it: the app may have put something else in front of `close`.
  await new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
}

/**
 * Lets a process that serves nobody any more end, without `process.exit`, which would cut off what the app still
 * writes. Called when our own signal listeners are gone.
 *
 * With nothing open, Node ends the process at once. An app that holds something (a pool, a timer) closes it in its
 * handler of its stop signal, as it would without us: that is called now, unless it was called before. An app without one
 * gets a moment for what it does on its server's `close`; then the signal's default action ends it.
 *
 * Where the app is in processes that the program has started, these are told with it, as at a terminal and by systemd:
 * not every program passes a signal on, and one that waits for its workers (Nitro's `node_cluster`) would wait in vain.
 */
export function endProcess({ server, elsewhere, stopSignal, signalled, clock }: ProcessEnd): void {
  // It listens where nobody connects, which is no reason to stay.
  server?.unref();
  if (process.listenerCount(stopSignal) === 0) {
    clock.after(settleMs, () => process.kill(process.pid, "SIGTERM"));
  } else if (stopSignal === "message") {
    process.emit("message", "shutdown", undefined);
  } else if (elsewhere && process.platform !== "win32") {
    // An instance leads a process group.
    process.kill(-process.pid, stopSignal);
  } else if (!signalled || stopSignal !== "SIGTERM") {
    // Not `process.kill`: without anything open, Node would end before it looks for signals.
    process.emit(stopSignal, stopSignal);
  }
}
