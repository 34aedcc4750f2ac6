import type { WallClock } from "./clock.ts";

/** By more than that the machine's time was set, and not only adjusted. */
const toleranceMs = 5;
/** Two clocks are read together within that, unless the process had to pause between them. */
const readTogetherMs = 1;
/** On a machine that is busy without end, the last of so many readings has to do. */
const maxReadings = 20;

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
    let reading = this.#readOffset();
    for (let readings = 1; !reading.together && readings < maxReadings; readings++) reading = this.#readOffset();
    this.#offset = reading.offset;
  }

  now(): number {
    return this.#machineTime();
  }

  wall(machineMs: number): number {
    const { offset, together } = this.#readOffset();
    if (together && Math.abs(offset - this.#offset) > toleranceMs) this.#offset = offset;
    return machineMs + this.#offset;
  }

  /** A pause between the readings is no step of the machine's time: it shows between two of the same clock. */
  #readOffset(): { readonly offset: number; readonly together: boolean } {
    const before = this.#machineTime();
    const wall = this.#wallClock();
    const after = this.#machineTime();
    return { offset: wall - after, together: after - before <= readTogetherMs };
  }
}
