import type { Clock } from "../model/clock.ts";

/** Connections were answered 503 and closed, because `limit` are open. */
export interface RefusalNotice {
  readonly limit: number;
  /** So many since this was last told. */
  readonly refused: number;
}

/** Refusals come in thousands where they come; they are told at once and then this often. */
const intervalMs = 10_000;

/** Tells of connections that are refused, and not of each. */
export class RefusalNotices {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #told: (notice: RefusalNotice) => void;
  #refused = 0;
  #waits = false;

  constructor(clock: Clock, limit: number, told: (notice: RefusalNotice) => void) {
    this.#clock = clock;
    this.#limit = limit;
    this.#told = told;
  }

  note(): void {
    this.#refused += 1;
    if (!this.#waits) this.#tell();
  }

  #tell(): void {
    this.#told({ limit: this.#limit, refused: this.#refused });
    this.#refused = 0;
    this.#waits = true;
    this.#clock.after(intervalMs, () => {
      this.#waits = false;
      if (this.#refused > 0) this.#tell();
    });
  }
}
