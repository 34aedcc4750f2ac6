import type { Clock } from "./clock.ts";

/** Where connections come without end, the queue is never seen empty; on a machine that is busy it takes so long. */
const mostMs = 1_000;

/**
 * Resolves when those connections have been accepted that wait in the kernel's queue of a listening socket: closing it
 * resets them. Node takes one or all of them in a turn of its event loop, as its version has it, so the queue is empty
 * after a whole turn in which `accepted`, the number of those that came so far, has not grown.
 */
export async function emptyAcceptQueue(accepted: () => number, clock: Clock): Promise<void> {
  const startedAt = clock.now();
  await turn();
  for (let before = -1; accepted() !== before && clock.now() - startedAt < mostMs; ) {
    before = accepted();
    await turn();
  }
}

/**
 * From one such call to the next the loop has looked for what arrived. No timer says so: one that is due by the time it is
 * set, since the process was held up, is called before the loop looks.
 */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
