import type { Clock } from "../model/clock.ts";

export interface ShutdownSignalsOptions {
  /** The first signal. Resolves when the process may end. */
  readonly drain: (signal: NodeJS.Signals) => Promise<void>;
  /** The second one: ends what is left, at once. */
  readonly abort: () => void;
  readonly clock: Clock;
}

const signals = ["SIGTERM", "SIGINT"] as const;

/** Time for the process to end by itself after the drain, with its exit code. */
const settleMs = 1_000;

/**
 * The first SIGTERM or SIGINT drains and then lets the process end by itself, with exit code 0. If something else in
 * the program still holds it, and nobody else listens for the signal, the signal then takes its default effect. A
 * second signal aborts and has its default effect immediately.
 */
export class ShutdownSignals {
  readonly #options: ShutdownSignalsOptions;
  #draining = false;

  constructor(options: ShutdownSignalsOptions) {
    this.#options = options;
    for (const signal of signals) process.on(signal, this.#received);
  }

  /** Listens no more. */
  remove(): void {
    for (const signal of signals) process.off(signal, this.#received);
  }

  readonly #received = (signal: NodeJS.Signals) => {
    if (this.#draining) {
      this.#options.abort();
      this.remove();
      takeDefaultEffect(signal);
      return;
    }
    this.#draining = true;
    void this.#drain(signal);
  };

  async #drain(signal: NodeJS.Signals): Promise<void> {
    const { drain, clock } = this.#options;
    await drain(signal);
    this.remove();
    clock.after(settleMs, () => takeDefaultEffect(signal));
  }
}

/** Ends the process as the signal would have without us, unless the program listens for it too. */
export function takeDefaultEffect(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}
