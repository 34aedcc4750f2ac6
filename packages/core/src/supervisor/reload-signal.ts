/** SIGHUP asks for a reload. Signals that come while one is still waiting for its turn ask for no other. */
export class ReloadSignal {
  readonly #reload: () => void;

  constructor(reload: () => void) {
    this.#reload = reload;
    process.on("SIGHUP", this.#received);
  }

  /** Listens no more. */
  remove(): void {
    process.off("SIGHUP", this.#received);
  }

  readonly #received = () => this.#reload();
}
