import type { Clock, Timer } from "../model/clock.ts";

/** So many entries of one kind in this time; what comes beyond it is counted. */
const most = 20;
const withinMs = 10_000;

/** Sees to it that what happens a thousand times a second is not told a thousand times. */
export class Repetitions {
  readonly #clock: Clock;
  readonly #tell: (kind: string, more: number) => void;
  #counts = new Map<string, number>();
  #timer: Timer | undefined;

  /** `tell` is called after the time is over with the number of those that were not allowed. */
  constructor(clock: Clock, tell: (kind: string, more: number) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  allow(kind: string): boolean {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    this.#timer ??= this.#clock.after(withinMs, () => this.#begin());
    return count <= most;
  }

  close(): void {
    this.#timer?.cancel();
    this.#begin();
  }

  #begin(): void {
    const counts = this.#counts;
    this.#counts = new Map();
    this.#timer = undefined;
    for (const [kind, count] of counts) if (count > most) this.#tell(kind, count - most);
  }
}
