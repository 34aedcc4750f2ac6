import type { Clock } from "../clock.ts";

/** Of the time it takes, at most so much: a slow answer is asked for less often. */
const maxShare = 0.2;

/**
 * Asks again and again, one after the other, while the page is seen; a page in the background asks nothing. Ends when what it returns
 * is called.
 */
export function repeat(clock: Clock, ms: () => number, askOnce: () => Promise<void>): () => void {
  let ended = false;
  let cancel = () => {};
  const seen = () => {
    if (document.hidden || ended) return;
    cancel();
    next();
  };
  let busy = false;
  const next = async () => {
    if (busy || ended || document.hidden) return;
    busy = true;
    const began = clock.now();
    await askOnce();
    busy = false;
    const took = clock.now() - began;
    if (!ended) cancel = clock.after(Math.max(ms() - took, took / maxShare - took, 0), next);
  };
  document.addEventListener("visibilitychange", seen);
  next();
  return () => {
    ended = true;
    cancel();
    document.removeEventListener("visibilitychange", seen);
  };
}
