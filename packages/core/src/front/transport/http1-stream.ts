import type { Socket } from "node:net";
import type { UpstreamFailure, UpstreamSink, UpstreamStream } from "./upstream.ts";

/** What a stream tells the pool it belongs to. */
export interface Http1StreamOwner {
  /** The exchange ended cleanly; the connection may serve another. */
  idle(stream: Http1Stream): void;
  /** The connection is gone and must be forgotten. */
  gone(stream: Http1Stream): void;
}

/** One HTTP/1.1 connection to an endpoint, for one exchange after the other. */
export class Http1Stream implements UpstreamStream {
  /** Exchanges this connection was opened or re-opened for. */
  exchanges = 0;
  /** When it became idle, by the pool's clock. */
  idleSince = 0;
  readonly #socket: Socket;
  readonly #owner: Http1StreamOwner;
  #sink: UpstreamSink | undefined;
  #connected = false;
  #written = false;
  #gone = false;
  #error: Error | undefined;

  constructor(socket: Socket, owner: Http1StreamOwner) {
    this.#socket = socket;
    this.#owner = owner;
    socket.setNoDelay(true);
    socket.on("connect", () => {
      this.#connected = true;
    });
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("end", () => this.#ended());
    socket.on("drain", () => this.#sink?.upstreamWritable());
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("close", () => this.#closed());
  }

  get reused(): boolean {
    return this.exchanges > 1;
  }

  /** Starts an exchange on this connection. */
  attach(sink: UpstreamSink): void {
    this.#sink = sink;
    this.#written = false;
    this.exchanges++;
  }

  write(bytes: Buffer | string): boolean {
    this.#written = true;
    return typeof bytes === "string" ? this.#socket.write(bytes, "latin1") : this.#socket.write(bytes);
  }

  redirect(sink: UpstreamSink): void {
    this.#sink = sink;
  }

  end(): void {
    this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  release(): void {
    this.#sink = undefined;
    if (this.#gone) return;
    // A paused socket would not notice that the endpoint closes it.
    this.#socket.resume();
    this.#owner.idle(this);
  }

  destroy(): void {
    this.#sink = undefined;
    this.#forget();
    this.#socket.destroy();
  }

  /** Ends the connection with an error its exchange is told of; for the connect timeout. */
  fail(failure: UpstreamFailure): void {
    const sink = this.#sink;
    this.destroy();
    sink?.upstreamFailed(failure);
  }

  #received(chunk: Buffer): void {
    if (this.#sink === undefined) {
      // Nothing was asked, so whatever this is, it must not be taken for the answer to what is asked next.
      this.destroy();
      return;
    }
    this.#sink.upstreamBytes(chunk, 0, chunk.length);
  }

  #ended(): void {
    if (this.#sink === undefined) this.destroy();
    else this.#sink.upstreamEnd();
  }

  #closed(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.#forget();
    sink?.upstreamFailed({
      reason: this.#connected ? "reset" : "connect",
      sent: this.#connected && this.#written,
      ...(this.#error === undefined ? {} : { cause: this.#error }),
    });
  }

  #forget(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#owner.gone(this);
  }
}
