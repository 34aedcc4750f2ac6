/** Tells whether `maxFails` failures lie within `windowMs`: a ring of the times of the last `maxFails`. */
export class FailWindow {
  readonly #windowMs: number;
  readonly #times: Float64Array;
  /** Where the oldest time is, and the next one goes. */
  #oldest = 0;

  constructor(maxFails: number, windowMs: number) {
    this.#windowMs = windowMs;
    this.#times = new Float64Array(maxFails).fill(Number.NEGATIVE_INFINITY);
  }

  /** Records a failure; true when it is the last of `maxFails` within the window. */
  add(now: number): boolean {
    this.#times[this.#oldest] = now;
    this.#oldest = (this.#oldest + 1) % this.#times.length;
    return now - this.#times[this.#oldest]! <= this.#windowMs;
  }

  clear(): void {
    this.#times.fill(Number.NEGATIVE_INFINITY);
  }
}
