/**
 * Whether a body comes fast enough: in every span of time as many bytes as the rate has it. Who sent much before has no
 * credit for it, or a long body could be followed by hours of single bytes.
 */
export class BodyPace {
  readonly #spanMs: number;
  readonly #bytesPerSpan: number;
  #begunAt = 0;
  #bytes = 0;
  #held = true;

  constructor(bytesPerSecond: number, spanMs: number) {
    this.#spanMs = spanMs;
    this.#bytesPerSpan = (bytesPerSecond * spanMs) / 1_000;
  }

  /** Nobody reads it: what does not come meanwhile is not its client's fault. */
  hold(): void {
    this.#held = true;
  }

  /** So many bytes have come. Returns how long those may take that are still wanting, in milliseconds. */
  came(bytes: number, now: number): number {
    this.#bytes += bytes;
    if (this.#held || this.#bytes >= this.#bytesPerSpan) {
      this.#held = false;
      this.#begunAt = now;
      this.#bytes = 0;
    }
    return Math.max(0, this.#begunAt + this.#spanMs - now);
  }
}
