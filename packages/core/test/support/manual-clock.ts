import type { Clock, Timer } from "../../src/model/clock.ts";

interface Pending {
  readonly at: number;
  readonly call: () => void;
}

/** A clock that moves only when told to; due calls run in order of their time. */
export class ManualClock implements Clock {
  #now = 0;
  #pending: Pending[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, call: () => void): Timer {
    const entry = { at: this.#now + ms, call };
    this.#pending.push(entry);
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((other) => other !== entry);
      },
    };
  }

  /** Calls not yet made. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Time passes while the process is stopped: what was due is late. */
  jump(ms: number): void {
    this.#now += ms;
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#pending.reduce<Pending | undefined>(
        (first, entry) => (entry.at <= until && (first === undefined || entry.at < first.at) ? entry : first),
        undefined,
      );
      if (next === undefined) break;
      this.#pending.splice(this.#pending.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.at);
      next.call();
    }
    this.#now = until;
  }
}
