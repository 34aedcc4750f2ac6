import type { Http1Stream } from "./http1-stream.ts";
import type { UpstreamClient } from "./upstream.ts";

/** Connections of a transport that nobody uses at the moment. */
export interface IdleStreams {
  /** For a request of this client. */
  take(client: UpstreamClient): Http1Stream | undefined;
  /** Returns another one, for which there is no room any more. */
  put(stream: Http1Stream): Http1Stream | undefined;
  remove(stream: Http1Stream): void;
  /** The one that has rested longest. */
  readonly oldest: Http1Stream | undefined;
}

/** Any serves any client. */
export class SharedStreams implements IdleStreams {
  readonly #most: number;
  /** Oldest first; taken from the end, so that a pool larger than the load shrinks from the front. */
  readonly #streams: Http1Stream[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  take(): Http1Stream | undefined {
    return this.#streams.pop();
  }

  put(stream: Http1Stream): Http1Stream | undefined {
    const tooMany = this.#streams.length >= this.#most ? this.#streams.shift() : undefined;
    this.#streams.push(stream);
    return tooMany;
  }

  remove(stream: Http1Stream): void {
    const index = this.#streams.lastIndexOf(stream);
    if (index !== -1) this.#streams.splice(index, 1);
  }

  get oldest(): Http1Stream | undefined {
    return this.#streams[0];
  }
}

/** Each serves the client that it was opened for. As many as there are clients at most, since one leaves with its client. */
export class OwnStreams implements IdleStreams {
  /** Oldest first. */
  readonly #streams = new Map<UpstreamClient, Http1Stream>();

  take(client: UpstreamClient): Http1Stream | undefined {
    const stream = this.#streams.get(client);
    this.#streams.delete(client);
    return stream;
  }

  put(stream: Http1Stream): Http1Stream | undefined {
    const before = this.take(stream.client);
    this.#streams.set(stream.client, stream);
    return before;
  }

  remove(stream: Http1Stream): void {
    if (this.#streams.get(stream.client) === stream) this.#streams.delete(stream.client);
  }

  get oldest(): Http1Stream | undefined {
    const [oldest] = this.#streams.values();
    return oldest;
  }
}
