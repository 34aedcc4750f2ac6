import { now } from "./journal.ts";

const everyMs = 20;

/** When its process was late, since the machine had no time for it: what that saw may have happened earlier. */
export class Lateness {
  readonly #late: { readonly at: number; readonly ms: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  #last = now();

  constructor() {
    this.#timer = setInterval(() => {
      const at = now();
      const ms = at - this.#last - everyMs;
      if (ms > everyMs) this.#late.push({ at, ms });
      this.#last = at;
    }, everyMs).unref();
  }

  /** By all of them together: what one delay held back another may have held back again. */
  around(at: number): number {
    // What is read as it goes on may come before the timer.
    const latest = { at: now(), ms: now() - this.#last - everyMs };
    const all = latest.ms > everyMs ? [...this.#late, latest] : this.#late;
    const near = all.filter((one) => one.at - one.ms - 100 < at && at < one.at + 500);
    return near.reduce((sum, { ms }) => sum + ms, 0);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
