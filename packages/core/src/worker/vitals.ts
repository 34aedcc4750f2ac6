import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { Vitals } from "../ipc/messages.ts";
import type { Clock, Timer } from "../model/clock.ts";

export interface VitalSignsOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly send: (vitals: Vitals) => void;
}

/** How finely the event loop's delay is sampled, in milliseconds. */
const resolutionMs = 20;

/** Tells the primary again and again how this process is; that it tells anything is a sign in itself. */
export class VitalSigns {
  readonly #options: VitalSignsOptions;
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  #utilization = performance.eventLoopUtilization();
  #cpu = process.cpuUsage();
  #measuredAt: number;
  #timer: Timer;

  constructor(options: VitalSignsOptions) {
    this.#options = options;
    this.#delay.enable();
    this.#measuredAt = options.clock.now();
    this.#timer = this.#next();
  }

  stop(): void {
    this.#timer.cancel();
    this.#delay.disable();
  }

  #next(): Timer {
    return this.#options.clock.after(this.#options.intervalMs, () => {
      this.#options.send(this.#measure());
      this.#timer = this.#next();
    });
  }

  #measure(): Vitals {
    const utilization = performance.eventLoopUtilization();
    const cpu = process.cpuUsage();
    const now = this.#options.clock.now();
    const elapsedMs = Math.max(1, now - this.#measuredAt);
    const used = cpu.user + cpu.system - this.#cpu.user - this.#cpu.system;
    // The histogram's values are the intervals between two of its samples.
    const lagMs = this.#delay.count === 0 ? 0 : Math.max(0, this.#delay.max / 1e6 - resolutionMs);
    const { heapUsed, rss } = process.memoryUsage();
    const vitals = {
      loopUtilization: performance.eventLoopUtilization(utilization, this.#utilization).utilization,
      loopLagMs: Math.round(lagMs),
      cpu: used / 1_000 / elapsedMs,
      heapBytes: heapUsed,
      rssBytes: rss,
    };
    this.#utilization = utilization;
    this.#cpu = cpu;
    this.#measuredAt = now;
    this.#delay.reset();
    return vitals;
  }
}
