import type { Clock, Timer } from "../model/clock.ts";

/** Something that has at most one deadline at a time, e.g. a client connection. */
export interface Expiring {
  /** Set and read by the wheel only: the moment of the deadline in ticks; 0 when there is none. */
  deadlineTick: number;
  /** Set and read by the wheel only: the tick under which the wheel holds it; 0 when it does not. */
  heldTick: number;
  expired(): void;
}

/**
 * Deadlines for very many connections at the cost of two field writes each time one moves, which is on every request.
 * A hashed wheel (Varghese & Lauck, 1987) whose entries move lazily: a deadline that is put off stays where it is and is
 * looked at when its old moment comes. Expires up to one tick late, never early. One that is cleared is let go at once:
 * connections that come and go by the thousand must not be kept until their deadlines would have been.
 */
export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #slots: Set<Expiring>[];
  #tick = 1;
  #held = 0;
  #startedAt = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, tickMs = 50, slots = 1024) {
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.#slots = Array.from({ length: slots }, () => new Set());
  }

  /** Puts the entry's deadline `ms` from now, in place of the one it had. `Infinity` means none. */
  set(entry: Expiring, ms: number): void {
    if (ms === Number.POSITIVE_INFINITY) {
      entry.deadlineTick = 0;
      return;
    }
    if (this.#timer === undefined) this.#start();
    // One tick more than the quotient: the current tick has already begun.
    const tick = this.#tick + Math.ceil(ms / this.#tickMs) + 1;
    entry.deadlineTick = tick;
    if (entry.heldTick === 0) this.#hold(entry, tick);
    else if (entry.heldTick > tick) {
      this.#letGo(entry);
      this.#hold(entry, tick);
    }
  }

  clear(entry: Expiring): void {
    entry.deadlineTick = 0;
    if (entry.heldTick !== 0) this.#letGo(entry);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const slot of this.#slots) for (const entry of slot) this.#letGo(entry);
  }

  #hold(entry: Expiring, tick: number): void {
    entry.heldTick = tick;
    this.#slots[tick % this.#slots.length]!.add(entry);
    this.#held++;
  }

  #letGo(entry: Expiring): void {
    this.#slots[entry.heldTick % this.#slots.length]!.delete(entry);
    entry.heldTick = 0;
    this.#held--;
  }

  /** The wheel turns only while it holds something; a wheel at rest has no timer. */
  #start(): void {
    this.#startedAt = this.#clock.now() - this.#tick * this.#tickMs;
    this.#schedule();
  }

  #schedule(): void {
    const next = this.#startedAt + (this.#tick + 1) * this.#tickMs - this.#clock.now();
    this.#timer = this.#clock.after(Math.max(1, next), () => {
      // Timers come before what has arrived is read. Where the event loop was held up, or the process was stopped, all
      // that came meanwhile is read first: a deadline is not to find missing what is already here.
      this.#timer = this.#clock.after(1, () => this.#turn());
    });
  }

  /** Catches up with the clock: a blocked event loop must not let deadlines drift. */
  #turn(): void {
    // The timer stays until the end: a deadline that is set meanwhile, by one that expires, must not start another.
    try {
      const until = Math.floor((this.#clock.now() - this.#startedAt) / this.#tickMs);
      while (this.#tick < until) this.#visit(++this.#tick);
    } finally {
      this.#timer = undefined;
      if (this.#held > 0) this.#schedule();
    }
  }

  #visit(tick: number): void {
    for (const entry of this.#slots[tick % this.#slots.length]!) {
      // A later round of the wheel.
      if (entry.heldTick > tick) continue;
      this.#letGo(entry);
      if (entry.deadlineTick > tick) this.#hold(entry, entry.deadlineTick);
      else if (entry.deadlineTick !== 0) {
        entry.deadlineTick = 0;
        entry.expired();
      }
    }
  }
}
