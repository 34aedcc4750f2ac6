import type { Clock, Timer } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { HeartbeatSettings } from "../options/life-options.ts";

export interface HeartbeatOptions {
  readonly settings: HeartbeatSettings;
  readonly clock: Clock;
  /** Those that serve, or could at once: they are to speak. */
  readonly watched: () => Iterable<Endpoint>;
  /** It has said nothing for so long that it is to get no traffic. */
  readonly fellSilent: (endpoint: Endpoint, ms: number) => void;
  /** It was silent, and is not any more. */
  readonly spoke: (endpoint: Endpoint) => void;
  /** It has been silent for so long that nothing more is expected of it. Called at every look from then on. */
  readonly givenUp: (endpoint: Endpoint) => void;
}

interface Pulse {
  /** By the clock of the watch. */
  lastBeatAt: number;
  silent: boolean;
}

/**
 * Looks at even intervals how long the workers have been silent. If this process itself was late for a look, because it
 * was blocked or suspended, nothing is concluded: what the workers said meanwhile has not been read yet.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #lookMs: number;
  readonly #pulses = new Map<Endpoint, Pulse>();
  /** Until when those are not given up that were told to do what blocks them. */
  readonly #excused = new Map<Endpoint, number>();
  #dueAt: number;
  #timer: Timer;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#lookMs = options.settings.intervalMs / 2;
    this.#dueAt = options.clock.now() + this.#lookMs;
    this.#timer = this.#next();
  }

  /** The worker is ready, or has told how it is. */
  beat(endpoint: Endpoint): void {
    const wasSilent = this.isSilent(endpoint);
    this.#pulses.set(endpoint, { lastBeatAt: this.#options.clock.now(), silent: false });
    if (wasSilent) this.#options.spoke(endpoint);
  }

  /** It was told to do something that may silence it for so long. It gets no traffic all the same. */
  excuse(endpoint: Endpoint, ms: number): void {
    this.#excused.set(endpoint, this.#options.clock.now() + ms);
  }

  /** It has done that. */
  expect(endpoint: Endpoint): void {
    this.#excused.delete(endpoint);
  }

  isSilent(endpoint: Endpoint): boolean {
    return this.#pulses.get(endpoint)?.silent ?? false;
  }

  /** Its process is gone. */
  forget(endpoint: Endpoint): void {
    this.#pulses.delete(endpoint);
    this.#excused.delete(endpoint);
  }

  stop(): void {
    this.#timer.cancel();
  }

  #next(): Timer {
    return this.#options.clock.after(this.#lookMs, () => this.#look());
  }

  #look(): void {
    const now = this.#options.clock.now();
    const late = now - this.#dueAt > this.#lookMs;
    for (const endpoint of this.#options.watched()) {
      const pulse = this.#pulses.get(endpoint);
      if (pulse === undefined) continue;
      if (late) pulse.lastBeatAt = now;
      else this.#judge(endpoint, pulse, now - pulse.lastBeatAt);
    }
    this.#dueAt = now + this.#lookMs;
    this.#timer = this.#next();
  }

  #judge(endpoint: Endpoint, pulse: Pulse, silentMs: number): void {
    const { settings, fellSilent, givenUp } = this.#options;
    const excusedUntil = this.#excused.get(endpoint) ?? Number.NEGATIVE_INFINITY;
    if (silentMs >= settings.killAfterMs && this.#options.clock.now() >= excusedUntil) givenUp(endpoint);
    if (silentMs < settings.outAfterMs || pulse.silent) return;
    pulse.silent = true;
    fellSilent(endpoint, silentMs);
  }
}
