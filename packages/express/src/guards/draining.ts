import { type Clock, isDraining, onDrain } from "@lb/core";

/** Whether this process is about to end: as an instance of a cluster that drains, or by a signal of the app's own. */
export class Draining {
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;
  #sinceMs: number | undefined;

  constructor(signal: AbortSignal | undefined, clock: Clock) {
    this.#signal = signal;
    this.#clock = clock;
    const begin = () => {
      this.#sinceMs ??= clock.now();
    };
    onDrain(begin);
    signal?.addEventListener("abort", begin, { once: true });
  }

  /** For how long, in milliseconds; undefined while it is not. */
  forMs(): number | undefined {
    if (this.#sinceMs === undefined) {
      if (!isDraining() && this.#signal?.aborted !== true) return undefined;
      this.#sinceMs = this.#clock.now();
    }
    return this.#clock.now() - this.#sinceMs;
  }
}
