import type { Clock } from "../model/clock.ts";

const quietMs = 60_000;

/** Says on Node's own channel for it what went wrong, each kind of thing at most once a minute. */
export function occasionalWarnings(clock: Clock): (error: Error) => void {
  const lastTold = new Map<unknown, number>();
  return (error) => {
    const { code = error.name } = error as Error & { readonly code?: unknown };
    const at = clock.now();
    if (at - (lastTold.get(code) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
    lastTold.set(code, at);
    process.emitWarning(error);
  };
}
