/** So many at once, and so many a second in the long run: a token bucket. */
export interface AllowanceRate {
  readonly burst: number;
  readonly perSecond: number;
}

/** What one client may do of something that costs us more than it costs the client. */
export class Allowance {
  readonly #rate: AllowanceRate;
  #left: number;
  #atMs: number;

  constructor(rate: AllowanceRate, nowMs: number) {
    this.#rate = rate;
    this.#left = rate.burst;
    this.#atMs = nowMs;
  }

  /** False: that was more than it may. */
  take(nowMs: number): boolean {
    const { burst, perSecond } = this.#rate;
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#atMs) / 1_000) * perSecond);
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
