import type { InstanceStatus } from "../control/status.ts";
import type { AutoscaleEvent } from "../events/cluster-event-map.ts";
import type { Clock, Timer } from "../model/clock.ts";
import type { AutoscaleSettings } from "../options/autoscale-options.ts";
import { AutoscaleController } from "../supervisor/autoscale-controller.ts";

export interface AutoscalerOptions {
  readonly settings: AutoscaleSettings;
  readonly clock: Clock;
  readonly instances: () => readonly InstanceStatus[];
  readonly scale: (instances: number) => Promise<void>;
  readonly told: (event: AutoscaleEvent) => void;
}

/** Looks of which a decision sees the average: single ones, of what is in flight above all, say little. */
const samplesPerInterval = 5;

/** Measures the instances, and has their number changed as the controller says. */
export class Autoscaler {
  readonly #options: AutoscalerOptions;
  readonly #controller: AutoscaleController;
  #loads: number[] = [];
  #size = 0;
  #changing = false;
  #timer: Timer | undefined;

  constructor(options: AutoscalerOptions) {
    this.#options = options;
    this.#controller = new AutoscaleController(options.settings);
  }

  begin(): void {
    this.#sampleSoon();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #sampleSoon(): void {
    const { clock, settings } = this.#options;
    this.#timer = clock.after(settings.intervalMs / samplesPerInterval, () => {
      this.#sample();
      this.#sampleSoon();
    });
  }

  #sample(): void {
    if (this.#changing) return;
    const { clock } = this.#options;
    const instances = this.#options.instances();
    const serving = instances.filter(({ state }) => state === "ready");
    if (instances.length !== this.#size) {
      this.#loads = [];
      this.#size = instances.length;
      this.#controller.changed(clock.now());
    }
    const loads = serving.map((instance) => this.#loadOf(instance)).filter((load) => load !== undefined);
    this.#loads.push(loads.length === 0 ? 0 : loads.reduce((sum, load) => sum + load, 0) / loads.length);
    if (this.#loads.length < samplesPerInterval) return;
    const load = this.#loads.reduce((sum, each) => sum + each, 0) / this.#loads.length;
    this.#loads = [];
    const sample = { now: clock.now(), instances: instances.length, serving: serving.length, load };
    const to = this.#controller.decide(sample);
    if (to !== undefined) void this.#change(instances.length, to, load);
  }

  /** Undefined: it has not said anything yet. */
  #loadOf({ inFlight, vitals }: InstanceStatus): number | undefined {
    switch (this.#options.settings.target.metric) {
      case "inFlight":
        return inFlight;
      case "cpu":
        return vitals?.cpu;
      case "eventLoopUtilization":
        return vitals?.loopUtilization;
    }
  }

  async #change(from: number, to: number, load: number): Promise<void> {
    const { scale, told, clock, settings } = this.#options;
    const event = { from, to, load, target: settings.target };
    this.#changing = true;
    try {
      await scale(to);
      this.#size = to;
      told(event);
    } catch (error) {
      told({ ...event, error: error as Error });
    }
    this.#changing = false;
    this.#controller.changed(clock.now());
  }
}
