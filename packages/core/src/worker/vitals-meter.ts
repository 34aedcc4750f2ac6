import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { Vitals } from "../ipc/messages.ts";
import type { Clock } from "../model/clock.ts";

/** How finely the event loop's delay is sampled, in milliseconds. */
const resolutionMs = 20;

/** Measures how this process is. */
export class VitalsMeter {
  readonly #clock: Clock;
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  #utilization = performance.eventLoopUtilization();
  #cpu = process.cpuUsage();
  #measuredAt: number;
  #memory: Pick<Vitals, "heapBytes" | "rssBytes"> = { heapBytes: 0, rssBytes: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#delay.enable();
    this.#measuredAt = clock.now();
  }

  stop(): void {
    this.#delay.disable();
  }

  /** Over the time since it was last called. */
  measure(): Vitals {
    const utilization = performance.eventLoopUtilization();
    const cpu = process.cpuUsage();
    const now = this.#clock.now();
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

  /** Node looks it up in a file, for which a process that has no descriptor left has none; it lives all the same. */
  #noteMemory(): void {
    try {
      const { heapUsed, rss } = process.memoryUsage();
      this.#memory = { heapBytes: heapUsed, rssBytes: rss };
    } catch {
      // What was known before.
    }
  }
}
