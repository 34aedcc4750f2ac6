/** A signal by which an operator asks for something; it has that effect in place of its own. */
export class OperatorSignal {
  readonly #signal: NodeJS.Signals;
  readonly #asked: () => void;

  constructor(signal: "SIGHUP" | "SIGUSR2", asked: () => void) {
    this.#signal = signal;
    this.#asked = () => asked();
    process.on(signal, this.#asked);
  }

  /** Listens no more. */
  remove(): void {
    process.off(this.#signal, this.#asked);
  }
}
