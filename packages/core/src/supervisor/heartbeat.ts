import type { Clock, Timer } from "../model/clock.ts";
import type { HeartbeatSettings } from "./settings.ts";

/** One that is watched: when it last spoke, by the clock of the watch. */
export interface Watched {
  readonly lastBeatAt: number;
  /** For how long it has been silent. Called at every look. */
  silentFor(ms: number): void;
  /** Silence up to now was not its own. */
  excuse(now: number): void;
}

/**
 * Looks at even intervals how long the workers have been silent. If this process itself was late for a look, because it
 * was blocked or suspended, nothing is concluded: what the workers said meanwhile has not been read yet.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #lookMs: number;
  readonly #watched: () => Iterable<Watched>;
  #dueAt: number;
  #timer: Timer;

  constructor({ intervalMs }: HeartbeatSettings, clock: Clock, watched: () => Iterable<Watched>) {
    this.#clock = clock;
    this.#lookMs = intervalMs / 2;
    this.#watched = watched;
    this.#dueAt = clock.now() + this.#lookMs;
    this.#timer = this.#next();
  }

  stop(): void {
    this.#timer.cancel();
  }

  #next(): Timer {
    return this.#clock.after(this.#lookMs, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    const late = now - this.#dueAt > this.#lookMs;
    for (const one of this.#watched()) {
      if (late) one.excuse(now);
      else one.silentFor(now - one.lastBeatAt);
    }
    this.#dueAt = now + this.#lookMs;
    this.#timer = this.#next();
  }
}
