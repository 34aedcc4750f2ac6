import type { Clock } from "../model/clock.ts";

/** What an instance is told when it begins to drain. */
export interface DrainNotice {
  /** Milliseconds until connections that are still open are cut. */
  readonly graceMs: number;
}

/** The drain waits for what it returns, at most for the grace; what it throws is thrown once the drain is over. */
export type DrainListener = (notice: DrainNotice) => void | PromiseLike<void>;

interface Notices {
  ending: boolean;
  draining: boolean;
  readonly listeners: Set<DrainListener>;
}

/** One for every copy of this library in the process, the ESM and the CommonJS one for a start. */
const key = Symbol.for("@lb/core.drain");

function notices(): Notices {
  const shared = globalThis as { [key]?: Notices };
  shared[key] ??= { ending: false, draining: false, listeners: new Set() };
  return shared[key];
}

/**
 * Calls `listener` when this instance begins to drain, because of a reload, a scale-down or the end of the cluster:
 * before any connection is closed, while no new work is routed here any more. The place to close WebSockets at a pace,
 * to hand a session over, or to fail a readiness check. In a process that is no instance it is never called.
 *
 * Returns the call that takes it back.
 */
export function onDrain(listener: DrainListener): () => void {
  const { listeners } = notices();
  // A wrapper of its own, so that the same function given twice is called, and taken back, twice.
  const own: DrainListener = (notice) => listener(notice);
  listeners.add(own);
  return () => {
    listeners.delete(own);
  };
}

/** Whether this instance has begun to drain. */
export function isDraining(): boolean {
  return notices().draining;
}

/**
 * Whether this instance is about to end: it drains, or will once `shutdownDelayMs` is over and whoever balances over several
 * machines had time to look elsewhere. Requests are still to be served; a readiness check fails.
 */
export function isEnding(): boolean {
  const { ending, draining } = notices();
  return ending || draining;
}

export function noteEnding(): void {
  notices().ending = true;
}

/**
 * Tells everybody. Resolves when all they returned has settled, at the latest after the grace; rejects then with the
 * first error there was.
 */
export async function announceDrain(notice: DrainNotice, clock: Clock): Promise<void> {
  const shared = notices();
  shared.draining = true;
  const calls = [...shared.listeners].map(async (listener) => listener(notice));
  let failure: { readonly error: unknown } | undefined;
  const settled = Promise.all(
    calls.map((call) =>
      call.catch((error: unknown) => {
        failure ??= { error };
      }),
    ),
  );
  await new Promise<void>((resolve) => {
    const timer = clock.after(notice.graceMs, resolve, { keepAlive: true });
    void settled.then(() => {
      timer.cancel();
      resolve();
    });
  });
  if (failure !== undefined) throw failure.error;
}
