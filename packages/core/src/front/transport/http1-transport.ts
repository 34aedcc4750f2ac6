import { connect } from "node:net";
import type { Clock, Timer } from "../../model/clock.ts";
import type { Endpoint } from "../../model/endpoint.ts";
import { Http1Stream, type Http1StreamOwner } from "./http1-stream.ts";
import type { Transport, UpstreamClient, UpstreamSink, UpstreamStream } from "./upstream.ts";

export interface Http1PoolOptions {
  /** Idle connections kept to the endpoint. Default 64. */
  readonly maxIdle: number;
  /**
   * How long an idle connection is kept, in milliseconds. It must be shorter than the endpoint's own keep-alive timeout
   * (5 s in Node), or requests are sent on connections that are just being closed. Default 4,000.
   */
  readonly idleTimeoutMs: number;
  /** Exchanges after which a connection is closed. Default unlimited. */
  readonly maxRequestsPerConnection: number;
  /** Time for a connection to be made, in milliseconds. Default 5,000. */
  readonly connectTimeoutMs: number;
}

export const defaultHttp1Pool: Http1PoolOptions = {
  maxIdle: 64,
  idleTimeoutMs: 4_000,
  maxRequestsPerConnection: Number.POSITIVE_INFINITY,
  connectTimeoutMs: 5_000,
};

/** HTTP/1.1 to any endpoint over TCP or a Unix socket, with a pool of kept-alive connections. */
export class Http1Transport implements Transport, Http1StreamOwner {
  readonly endpoint: Endpoint;
  readonly #options: Http1PoolOptions;
  readonly #clock: Clock;
  /** Oldest first; taken from the end, so that a pool larger than the load shrinks from the front. */
  readonly #idle: Http1Stream[] = [];
  #sweep: Timer | undefined;
  #closed = false;

  constructor(endpoint: Endpoint, clock: Clock, options: Partial<Http1PoolOptions> = {}) {
    this.endpoint = endpoint;
    this.#clock = clock;
    this.#options = { ...defaultHttp1Pool, ...options };
  }

  open(_client: UpstreamClient, sink: UpstreamSink, fresh = false): UpstreamStream {
    const stream = (fresh ? undefined : this.#idle.pop()) ?? this.#connect();
    stream.attach(sink);
    return stream;
  }

  close(): void {
    this.#closed = true;
    this.#sweep?.cancel();
    for (const stream of this.#idle.splice(0)) stream.destroy();
  }

  idle(stream: Http1Stream): void {
    const { maxIdle, maxRequestsPerConnection } = this.#options;
    if (this.#closed || stream.exchanges >= maxRequestsPerConnection || maxIdle === 0) {
      stream.destroy();
      return;
    }
    if (this.#idle.length >= maxIdle) this.#idle.shift()?.destroy();
    stream.idleSince = this.#clock.now();
    this.#idle.push(stream);
    this.#sweep ??= this.#clock.after(this.#options.idleTimeoutMs, () => this.#closeExpired());
  }

  gone(stream: Http1Stream): void {
    const index = this.#idle.lastIndexOf(stream);
    if (index !== -1) this.#idle.splice(index, 1);
  }

  #connect(): Http1Stream {
    const { address } = this.endpoint;
    // Half-open, so that a tunnel's two directions end one by one.
    const socket = connect({
      allowHalfOpen: true,
      ...(address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port }),
    });
    const stream = new Http1Stream(socket, this);
    const timeout = this.#clock.after(this.#options.connectTimeoutMs, () =>
      stream.fail({ reason: "connect", sent: false, cause: new Error("connect timeout") }),
    );
    socket.once("connect", () => timeout.cancel());
    socket.once("close", () => timeout.cancel());
    return stream;
  }

  #closeExpired(): void {
    this.#sweep = undefined;
    const now = this.#clock.now();
    const { idleTimeoutMs } = this.#options;
    while (this.#idle[0] !== undefined && this.#idle[0].idleSince + idleTimeoutMs <= now) this.#idle.shift()?.destroy();
    const oldest = this.#idle[0];
    if (oldest !== undefined) {
      this.#sweep = this.#clock.after(oldest.idleSince + idleTimeoutMs - now, () => this.#closeExpired());
    }
  }
}
