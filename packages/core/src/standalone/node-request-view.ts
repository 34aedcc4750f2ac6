import type { IncomingMessage } from "node:http";
import { normaliseAddress } from "../http/address.ts";
import type { RequestView } from "../model/request-view.ts";

/** What balancing may look at in a request of `node:http`. Nothing is read or copied before a strategy asks for it. */
export function requestViewOf(request: IncomingMessage): RequestView {
  return new NodeRequestView(request);
}

class NodeRequestView implements RequestView {
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage) {
    this.#request = request;
  }

  get method(): string {
    return this.#request.method ?? "GET";
  }

  get target(): string {
    return this.#request.url ?? "/";
  }

  /** The peer's address; `""`, which hashes like no address, once it has gone. */
  get clientAddress(): string {
    return normaliseAddress(this.#request.socket.remoteAddress ?? "");
  }

  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }
}
