import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { Vitals } from "../ipc/messages.ts";
import type { Clock, Timer } from "../model/clock.ts";
import { contain } from "./agent-faults.ts";

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
  #memory: Pick<Vitals, "heapBytes" | "rssBytes"> = { heapBytes: 0, rssBytes: 0 };
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
      contain("the vital signs", () => this.#options.send(this.#measure()));
      this.#timer = this.#next();
    });
  }

  /** Node looks it up in a file, for which a process that has no descriptor left has none; it lives all the same. */
  #noteMemory(): void {
    try {
      const { heapUsed, rss } = process.memoryUsage();
      this.#memory = { heapBytes: heapUsed, rssBytes: rss };
    } catch {
      // What was known before.
    }
  }

  #measure(): Vitals {
    const utilization = performance.eventLoopUtilization();
    const cpu = process.cpuUsage();
    const now = this.#options.clock.now();
    const elapsedMs = Math.max(1, now - this.#measuredAt);
    const used = cpu.user + cpu.system - this.#cpu.user - this.#cpu.system;
    // The histogram's values are the intervals between two of its samples.
    const lagMs = this.#delay.count === 0 ? 0 : Math.max(0, this.#delay.max / 1e6 - resolutionMs);
    this.#noteMemory();
    const vitals = {
      loopUtilization: performance.eventLoopUtilization(utilization, this.#utilization).utilization,
      loopLagMs: Math.round(lagMs),
      cpu: used / 1_000 / elapsedMs,
      ...this.#memory,
    };
    this.#utilization = utilization;
    this.#cpu = cpu;
    this.#measuredAt = now;
    this.#delay.reset();
    return vitals;
  }
}
