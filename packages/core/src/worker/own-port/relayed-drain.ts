import type { Clock } from "../../model/clock.ts";
import type { DrainOrder } from "../drain.ts";

/**
 * The drain of an app that runs in processes which the program has started: its connections are not seen here, and when
 * no request is in flight any more, the primary says so. Those processes are told to end with this one, as its group.
 */
export class RelayedDrain {
  readonly #clock: Clock;
  readonly #unused: Promise<void>;
  #noteUnused: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#unused = new Promise((resolve) => {
      this.#noteUnused = resolve;
    });
  }

  noteUnused(): void {
    this.#noteUnused();
  }

  announceEnd(): void {}

  async run({ graceMs }: DrainOrder): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(graceMs, resolve, { keepAlive: true });
      void this.#unused.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
