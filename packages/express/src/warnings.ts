const quietMs = 60_000;
const lastTold = new Map<string, number>();

/** Says on Node's own channel for it what went wrong, each kind of thing at most once a minute. */
export function warnOccasionally(error: Error & { readonly code: string }): void {
  const at = performance.now();
  if (at - (lastTold.get(error.code) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
  lastTold.set(error.code, at);
  process.emitWarning(error);
}
