import type { EventEmitter } from "node:events";

/**
 * Listens for `event` of a server before all others, but only while there are others: Node takes upgrades and leaves
 * errors of clients to the app only where somebody listens for them, and we alone are nobody.
 */
export class AlongsideListener<Given extends unknown[]> {
  readonly #server: EventEmitter;
  readonly #event: string;
  readonly #listener: (...given: Given) => void;
  #listens = false;

  constructor(server: EventEmitter, event: string, listener: (...given: Given) => void) {
    this.#server = server;
    this.#event = event;
    this.#listener = listener;
    server.on("newListener", this.#comes);
    server.on("removeListener", this.#went);
    if (server.listenerCount(event) > 0) this.#listen();
  }

  stop(): void {
    this.#server.off("newListener", this.#comes);
    this.#server.off("removeListener", this.#went);
    this.#server.off(this.#event, this.#listener);
  }

  readonly #comes = (name: string | symbol, listener: unknown) => {
    if (name === this.#event && listener !== this.#listener) this.#listen();
  };

  readonly #went = (name: string | symbol, listener: unknown) => {
    if (name !== this.#event) return;
    if (listener === this.#listener) this.#listens = false;
    else if (this.#listens && this.#server.listenerCount(name) === 1) this.#server.off(name, this.#listener);
  };

  #listen(): void {
    if (this.#listens) return;
    this.#listens = true;
    this.#server.prependListener(this.#event, this.#listener);
  }
}
