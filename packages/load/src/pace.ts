/**
 * When what is to be done so often a second is due. What is late counts from when it was due, not from when somebody had time for it: else
 * a target that stands still for a second would lose the requests of that second, and look better for it ("coordinated omission", Gil Tene).
 */
export class Pace {
  readonly #perSecond: number;
  readonly #begunAt: number;
  #given = 0;

  constructor(perSecond: number, begunAt: number) {
    this.#perSecond = perSecond;
    this.#begunAt = begunAt;
  }

  /** The next one that nobody has, and when it is due, which may be past. */
  take(): number {
    return this.#begunAt + (this.#given++ * 1_000) / this.#perSecond;
  }

  /** How many are due by now and taken by nobody. */
  behind(now: number): number {
    return Math.max(0, Math.floor(((now - this.#begunAt) * this.#perSecond) / 1_000) + 1 - this.#given);
  }
}
