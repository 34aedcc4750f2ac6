import type { Clock } from "../model/clock.ts";

/**
 * A moving average that believes bad news at once and good news slowly: a value above the average becomes the average,
 * one below it draws it down with the time constant `decayMs`, as does silence. After Finagle's `PeakEwma`: an endpoint
 * that turns slow is felt with its first slow answer, and one that nobody asks is worth trying again some time later.
 */
export class PeakEwma {
  readonly #decayMs: number;
  readonly #clock: Clock;
  #average = 0;
  #stampedAt = 0;

  constructor(decayMs: number, clock: Clock) {
    this.#decayMs = decayMs;
    this.#clock = clock;
  }

  observe(value: number): void {
    const now = this.#clock.now();
    const kept = Math.exp((this.#stampedAt - now) / this.#decayMs);
    this.#average = value >= this.#average ? value : value + (this.#average - value) * kept;
    this.#stampedAt = now;
  }

  /** The average, decayed to now; 0 until a value was observed. */
  value(): number {
    if (this.#average === 0) return 0;
    return this.#average * Math.exp((this.#stampedAt - this.#clock.now()) / this.#decayMs);
  }
}
