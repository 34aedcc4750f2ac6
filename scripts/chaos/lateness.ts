import { now } from "./journal.ts";

const everyMs = 20;

/** When this process itself was late, since the machine had no time for it: what it saw may have happened earlier. */
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
    }, everyMs);
  }

  /** By all of them together: what one delay held back another may have held back again. */
  around(at: number): number {
    const near = this.#late.filter((one) => one.at - one.ms - 100 < at && at < one.at + 500);
    return near.reduce((sum, { ms }) => sum + ms, 0);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
