import type { EventEmitter } from "node:events";

/**
 * Our own code runs in the app's process, in listeners, callbacks and timers that nobody awaits: what it throws there
 * would end the app. So all of them are made by {@link contained}. The app's code is never run in one, but for by
 * {@link runApp}: what that throws is the app's own, and is treated by Node as if we were not there.
 */

export type FaultReporter = (where: string, error: unknown) => void;

let reporter: FaultReporter | undefined;

/** Whoever tells the primary; there is one agent in a process. */
export function reportFaultsTo(report: FaultReporter | undefined): void {
  reporter = report;
}

/** Tells of a fault that was caught. Never throws. */
export function noteFault(where: string, error: unknown): void {
  try {
    reporter?.(where, error);
  } catch {
    // A channel that fails is told elsewhere, and nobody else would hear of this.
  }
}

/** Does `work`; if that fails `remedy`, which ends what `work` was about: the connection, as a rule. */
export function contain(where: string, work: () => void, remedy?: () => void): void {
  try {
    work();
  } catch (error) {
    noteFault(where, error);
    if (remedy !== undefined) contain(`${where}, after a fault`, remedy);
  }
}

/** `work` as a listener that cannot throw; `remedy` is called with what it was called with. */
export function contained<Arguments extends unknown[]>(
  where: string,
  work: (...given: Arguments) => void,
  remedy?: (...given: Arguments) => void,
): (...given: Arguments) => void {
  return (...given) => {
    try {
      work(...given);
    } catch (error) {
      noteFault(where, error);
      if (remedy !== undefined) contain(`${where}, after a fault`, () => remedy(...given));
    }
  };
}

/** Adds listeners of events that cannot throw; after a fault `remedy` is called, with nothing. */
export function containedListeners(where: string, remedy: () => void) {
  return (emitter: EventEmitter, event: string, listener: (chunk: Buffer) => void): void => {
    emitter.on(
      event,
      contained(`${where}: ${event}`, listener, () => remedy()),
    );
  };
}

/** Runs code of the app from within our own. */
export function runApp(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    process.nextTick(rethrow, error);
  }
}

function rethrow(error: unknown): never {
  throw error;
}
