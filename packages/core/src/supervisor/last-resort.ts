import type { Clock, Timer } from "../model/clock.ts";

/** Starts that are made at once, one after the other. Twenty poison requests and their second victims use them up. */
const burst = 20;
/** And one more in so many milliseconds. */
const intervalMs = 1_000;

export interface LastResortOptions {
  readonly clock: Clock;
  /** While the workers that are started do not even become ready, the pause doubles up to this, in milliseconds. */
  readonly maxPauseMs: number;
  /** Starts a worker if nobody serves and nobody is about to; false: there is no need. */
  readonly start: () => boolean;
}

/**
 * What happens when nobody serves any more. The pauses between restarts spare a cluster that goes on; while none does they
 * only make its absence longer, so one instance is started at once. How often is bounded: an app that dies as soon as it
 * serves costs no more than a start a second, and one that cannot even start less and less.
 */
export class LastResort {
  readonly #options: LastResortOptions;
  #tokens = burst;
  #refilledAt: number;
  /** Starts since somebody was ready. */
  #fruitless = 0;
  #startedAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(options: LastResortOptions) {
    this.#options = options;
    this.#refilledAt = options.clock.now();
  }

  /** Perhaps nobody is left. */
  consider(): void {
    if (this.#timer !== undefined) return;
    const { clock, start } = this.#options;
    const now = clock.now();
    const pause = this.#notBefore(now) - now;
    if (pause > 0) {
      const again = () => {
        this.#timer = undefined;
        this.consider();
      };
      this.#timer = clock.after(pause, again, { keepAlive: true });
    } else if (start()) {
      this.#tokens -= 1;
      this.#fruitless += 1;
      this.#startedAt = now;
    }
  }

  /** A worker is ready, whoever started it. */
  ready(): void {
    this.#fruitless = 0;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #notBefore(now: number): number {
    const gained = Math.floor((now - this.#refilledAt) / intervalMs);
    this.#tokens = Math.min(burst, this.#tokens + gained);
    this.#refilledAt = this.#tokens === burst ? now : this.#refilledAt + gained * intervalMs;
    const paid = this.#tokens > 0 ? now : this.#refilledAt + intervalMs;
    if (this.#fruitless === 0) return paid;
    return Math.max(
      paid,
      this.#startedAt + Math.min(this.#options.maxPauseMs, intervalMs * 2 ** (this.#fruitless - 1)),
    );
  }
}
