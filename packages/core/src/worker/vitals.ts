import type { Vitals } from "../ipc/messages.ts";
import type { Clock, Timer } from "../model/clock.ts";
import { contain } from "./agent-faults.ts";
import { VitalsMeter } from "./vitals-meter.ts";

export interface VitalSignsOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly send: (vitals: Vitals) => void;
}

/** Tells the primary again and again how this process is; that it tells anything is a sign in itself. */
export class VitalSigns {
  readonly #options: VitalSignsOptions;
  readonly #meter: VitalsMeter;
  #timer: Timer;

  constructor(options: VitalSignsOptions) {
    this.#options = options;
    this.#meter = new VitalsMeter(options.clock);
    this.#timer = this.#next();
  }

  stop(): void {
    this.#timer.cancel();
    this.#meter.stop();
  }

  #next(): Timer {
    return this.#options.clock.after(this.#options.intervalMs, () => {
      contain("the vital signs", () => this.#options.send(this.#meter.measure()));
      this.#timer = this.#next();
    });
  }
}
