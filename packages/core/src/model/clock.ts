/** A pending call; `cancel` is idempotent and does nothing once the call was made. */
export interface Timer {
  cancel(): void;
}

export interface TimerOptions {
  /** Keeps the process alive until the call is made. Default false: a library's timers never hold a process. */
  readonly keepAlive?: boolean;
}

/** Time as the library sees it. Monotonic, so a jump of the wall clock changes nothing. */
export interface Clock {
  /** Milliseconds since some fixed moment, with a fraction. */
  now(): number;
  after(ms: number, call: () => void, options?: TimerOptions): Timer;
}

/** Calls again and again, with so many milliseconds from one call to the next. */
export function every(clock: Clock, ms: number, call: () => void): Timer {
  const next = () => clock.after(ms, again);
  function again(): void {
    timer = next();
    call();
  }
  let timer = next();
  return { cancel: () => timer.cancel() };
}

/**
 * Milliseconds since 1970-01-01 UTC, for what outlives the process or is read on another machine, e.g. when a cookie
 * expires. It jumps when the machine's time is set: for everything else there is {@link Clock}.
 */
export type WallClock = () => number;

/** @public The composition roots give it to what asks for it. */
export const systemWallClock: WallClock = () => Date.now();

/** The real clock. This file and `random.ts` are the only ones that touch the process's own time and randomness. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, call, options) {
    const handle = setTimeout(call, ms);
    if (options?.keepAlive !== true) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Milliseconds, with fractions, of the machine's monotonic clock: the same in all processes, for what several of them time together. */
export function machineTime(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000;
}
