/** Ctrl-C, and its like: the first ends what runs in good order, a second at once. */
export class Interruption {
  readonly #first = new AbortController();
  readonly #second = new AbortController();
  readonly #hear = () => (this.#first.signal.aborted ? this.#second : this.#first).abort();

  constructor() {
    for (const signal of signals) process.on(signal, this.#hear);
  }

  /** What runs is to be ended. */
  get signal(): AbortSignal {
    return this.#first.signal;
  }

  /** It is to be ended at once. */
  get force(): AbortSignal {
    return this.#second.signal;
  }

  end(): void {
    for (const signal of signals) process.off(signal, this.#hear);
  }
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
