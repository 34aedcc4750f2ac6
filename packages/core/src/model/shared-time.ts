import type { WallClock } from "./clock.ts";

/** By more than that the machine's time was set, and not only adjusted. */
const toleranceMs = 5;

/**
 * When something was by the calendar, of what the machine's monotonic clock says, which all processes share: spans of several
 * nest as exactly as they were timed, and later ones follow the calendar.
 */
export class SharedTime {
  readonly #wallClock: WallClock;
  readonly #machineTime: () => number;
  #offset: number;

  constructor(wallClock: WallClock, machineTime: () => number) {
    this.#wallClock = wallClock;
    this.#machineTime = machineTime;
    this.#offset = wallClock() - machineTime();
  }

  now(): number {
    return this.#machineTime();
  }

  wall(machineMs: number): number {
    const offset = this.#wallClock() - this.#machineTime();
    if (Math.abs(offset - this.#offset) > toleranceMs) this.#offset = offset;
    return machineMs + this.#offset;
  }
}
