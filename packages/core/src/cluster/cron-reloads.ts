import { type Clock, systemWallClock, type Timer } from "../model/clock.ts";
import { nextTime } from "../options/cron-pattern.ts";

export interface CronReloadsOptions {
  /** Undefined: never. */
  readonly pattern: string | undefined;
  readonly clock: Clock;
  /** Default: the system's. */
  readonly wallClock?: () => number;
  readonly reload: () => void;
}

/** The clock may be set, and time in summer is another one: it is looked at again at least as often as this. */
const mostMs = 60_000;

/** Reloads by the clock. What was missed while the machine slept is not made up for. */
export class CronReloads {
  readonly #options: CronReloadsOptions;
  #timer: Timer | undefined;

  constructor(options: CronReloadsOptions) {
    this.#options = options;
  }

  begin(): void {
    const { pattern, wallClock = systemWallClock } = this.#options;
    if (pattern !== undefined) this.#await(pattern, nextTime(pattern, new Date(wallClock())));
  }

  #await(pattern: string, next: Date | undefined): void {
    if (next === undefined) return;
    const { clock, wallClock = systemWallClock, reload } = this.#options;
    const ms = Math.min(mostMs, Math.max(0, next.getTime() - wallClock()));
    this.#timer = clock.after(ms, () => {
      const now = wallClock();
      if (now < next.getTime()) {
        this.#await(pattern, nextTime(pattern, new Date(now)));
        return;
      }
      if (now - next.getTime() < mostMs) reload();
      this.#await(pattern, nextTime(pattern, new Date(now)));
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
