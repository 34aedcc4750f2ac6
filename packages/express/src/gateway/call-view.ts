import type { RequestView } from "@lb/core";
import type { Call } from "../call.ts";

/** What balancing may look at in a call; nothing is read before a strategy or an affinity asks for it. */
export class CallView implements RequestView {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  get method(): string {
    return this.#call.request.method ?? "GET";
  }

  get target(): string {
    return this.#call.originalTarget;
  }

  get clientAddress(): string {
    return this.#call.clientAddress;
  }

  header(name: string): string | undefined {
    const value = this.#call.request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }
}
