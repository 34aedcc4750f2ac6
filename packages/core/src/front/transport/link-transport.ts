import type { LinkError } from "../../link/errors.ts";
import { DEFAULT_HELLO } from "../../link/frame.ts";
import type { Clock, Timer } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import { LinkConnection } from "./link-connection.ts";
import { LinkStream, type StreamHome } from "./link-stream.ts";
import type { Transport, UpstreamClient, UpstreamSink, UpstreamStream } from "./upstream.ts";

export interface LinkTransportOptions {
  readonly endpoint: Endpoint;
  /** The worker's intake: the path of a Unix socket or the name of a pipe. */
  readonly path: string;
  readonly clock: Clock;
  /**
   * The established link broke (the worker died), or the worker broke the protocol and was cut off. All streams have
   * failed by then; the next `open` connects anew. A refused connection is not told here but to the streams.
   */
  onDown(error: LinkError): void;
  /** Until the worker has accepted and greeted. Default 2,000. */
  readonly connectTimeoutMs?: number;
  /**
   * How long a client's stream may lie idle on this worker before its socket in the worker is closed; up to twice as
   * long, since one timer serves all. Default 60,000.
   */
  readonly idleStreamMs?: number;
  /** What either side holds at most of one stream in one direction. Default 262,144. */
  readonly windowBytes?: number;
}

/** The transport to one of our own workers. Connects now, and again on the next `open` after the link went down. */
export function createLinkTransport(options: LinkTransportOptions): Transport {
  return new LinkTransport(options);
}

class LinkTransport implements Transport, StreamHome {
  readonly endpoint: Endpoint;
  readonly byClient = new Map<UpstreamClient, LinkStream>();
  readonly #options: LinkTransportOptions;
  #connection: LinkConnection;
  #sweepTimer: Timer;
  #closed = false;

  constructor(options: LinkTransportOptions) {
    this.endpoint = options.endpoint;
    this.#options = options;
    this.#connection = this.#connect();
    this.#sweepTimer = this.#sweepLater();
  }

  open(client: UpstreamClient, sink: UpstreamSink, fresh = false): UpstreamStream {
    const kept = this.byClient.get(client);
    if (!fresh && kept?.begin(sink) === true) return kept;
    if (!this.#connection.usable && !this.#closed) this.#connection = this.#connect();
    const stream = new LinkStream(this.#connection.link, client, sink, this);
    this.#connection.attach(stream);
    return stream;
  }

  silent(): void {
    for (const stream of [...this.byClient.values()]) stream.silent();
  }

  close(): void {
    this.#closed = true;
    this.#sweepTimer.cancel();
    this.#connection.retire();
  }

  #connect(): LinkConnection {
    const { path, clock, connectTimeoutMs = 2_000, windowBytes = DEFAULT_HELLO.windowBytes } = this.#options;
    const onDown = (error: LinkError) => this.#options.onDown(error);
    return new LinkConnection({ path, clock, connectTimeoutMs, hello: { ...DEFAULT_HELLO, windowBytes }, onDown });
  }

  #sweepLater(): Timer {
    const { clock, idleStreamMs = 60_000 } = this.#options;
    return clock.after(idleStreamMs, () => {
      this.#connection.sweep();
      this.#sweepTimer = this.#sweepLater();
    });
  }
}
