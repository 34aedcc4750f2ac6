/**
 * As many as a kernel's queue holds where nobody set `net.core.somaxconn`: when so many have been accepted, all are in that
 * waited at first. Where connections come without end, the queue is never seen empty.
 */
const longest = 4_096;

/**
 * Resolves when those connections have been accepted that wait in the kernel's queue of a listening socket: closing it
 * resets them. Node takes one or all of them in a turn of its event loop, as its version has it, so the queue is empty
 * after a whole turn in which `accepted`, the number of those that came so far, has not grown. How long a turn takes is
 * the machine's affair: no limit of time holds where it is busy.
 */
export async function emptyAcceptQueue(accepted: () => number): Promise<void> {
  const atFirst = accepted();
  await turn();
  for (let before = -1; accepted() !== before && accepted() - atFirst < longest; ) {
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
