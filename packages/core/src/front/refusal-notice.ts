import type { Clock } from "../model/clock.ts";

/** Connections were answered 503 and closed, because `limit` are open. */
export interface RefusalNotice {
  readonly limit: number;
  /** So many since this was last told. */
  readonly refused: number;
}

/** Refusals come in thousands where they come; they are told at once and then this often. */
const intervalMs = 10_000;

/** Tells how many were refused, and not of each. */
export class RefusalNotices {
  readonly #clock: Clock;
  readonly #told: (refused: number) => void;
  #refused = 0;
  #waits = false;

  constructor(clock: Clock, told: (refused: number) => void) {
    this.#clock = clock;
    this.#told = told;
  }

  note(times = 1): void {
    this.#refused += times;
    if (!this.#waits) this.#tell();
  }

  #tell(): void {
    this.#told(this.#refused);
    this.#refused = 0;
    this.#waits = true;
    this.#clock.after(intervalMs, () => {
      this.#waits = false;
      if (this.#refused > 0) this.#tell();
    });
  }
}
