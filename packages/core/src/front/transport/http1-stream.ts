import type { Socket } from "node:net";
import type { UpstreamClient, UpstreamFailure, UpstreamSink, UpstreamStream } from "./upstream.ts";

/** What a stream tells the pool it belongs to. */
export interface Http1StreamOwner {
  /** The exchange ended cleanly; the connection may serve another. */
  idle(stream: Http1Stream): void;
  /** The connection is gone and must be forgotten. */
  gone(stream: Http1Stream): void;
  /** Whoever is at the other end is replaced when it dies, which `judge` can tell. */
  readonly supervised: boolean;
  /** Calls `told`, at once or soon, with what this failure of a connection is in the light of whether its endpoint is there. */
  judge(failure: UpstreamFailure, told: (failure: UpstreamFailure) => void): void;
}

/** What may be written while the connection is being made before `write` says that it is enough. */
const maxHeldBytes = 65_536;

/**
 * - `connecting`: what is written is held until there is a connection;
 * - `open`;
 * - `gone`.
 */
type State =
  | { readonly kind: "connecting"; readonly held: (Buffer | string)[]; heldBytes: number }
  | { readonly kind: "open"; readonly socket: Socket }
  | { readonly kind: "gone" };

const gone: State = Object.freeze({ kind: "gone" });

/** One HTTP/1.1 connection to an endpoint, for one exchange after the other. */
export class Http1Stream implements UpstreamStream {
  /** Exchanges this connection was opened or re-opened for. */
  exchanges = 0;
  /** When it began to be made, by the pool's clock. */
  begunAt = 0;
  /** When it became idle, by the same. */
  idleSince = 0;
  /** Whom it was opened for. */
  readonly client: UpstreamClient;
  readonly #owner: Http1StreamOwner;
  #state: State = { kind: "connecting", held: [], heldBytes: 0 };
  #sink: UpstreamSink | undefined;
  #written = false;
  /** Something has come back. */
  #heard = false;
  #error: Error | undefined;

  constructor(client: UpstreamClient, owner: Http1StreamOwner) {
    this.client = client;
    this.#owner = owner;
  }

  get reused(): boolean {
    return this.exchanges > 1;
  }

  /** Starts an exchange on this connection. */
  attach(sink: UpstreamSink): void {
    this.#sink = sink;
    this.#written = false;
    this.#heard = false;
    this.exchanges++;
  }

  /** The connection is there. */
  opened(socket: Socket): void {
    if (this.#state.kind !== "connecting") {
      socket.destroy();
      return;
    }
    const { held, heldBytes } = this.#state;
    this.#state = { kind: "open", socket };
    socket.on("data", (chunk: Buffer) => this.#received(chunk));
    socket.on("end", () => this.#ended());
    socket.on("drain", () => this.#sink?.upstreamWritable());
    socket.on("error", (error) => {
      this.#error = error;
      // An encrypted one is not closed by each of its errors.
      socket.destroy();
    });
    socket.on("close", () => this.#closed());
    socket.cork();
    let writable = true;
    for (const bytes of held) writable = this.write(bytes);
    socket.uncork();
    if (writable && heldBytes > maxHeldBytes) this.#sink?.upstreamWritable();
  }

  /** There is none, and will be none. */
  failed(cause: Error): void {
    this.#forget();
    this.#broke({ reason: "connect", sent: false, cause });
  }

  write(bytes: Buffer | string): boolean {
    switch (this.#state.kind) {
      case "connecting":
        this.#state.held.push(bytes);
        this.#state.heldBytes += bytes.length;
        return this.#state.heldBytes <= maxHeldBytes;
      case "open": {
        const { socket } = this.#state;
        this.#written = true;
        return typeof bytes === "string" ? socket.write(bytes, "latin1") : socket.write(bytes);
      }
      case "gone":
        return true;
    }
  }

  redirect(sink: UpstreamSink): void {
    this.#sink = sink;
  }

  end(): void {
    if (this.#state.kind === "open") this.#state.socket.end();
  }

  pause(): void {
    if (this.#state.kind === "open") this.#state.socket.pause();
  }

  resume(): void {
    if (this.#state.kind === "open") this.#state.socket.resume();
  }

  release(): void {
    this.#sink = undefined;
    if (this.#state.kind !== "open") return;
    // A paused socket would not notice that the endpoint closes it.
    this.#state.socket.resume();
    this.#owner.idle(this);
  }

  destroy(): void {
    this.#sink = undefined;
    if (this.#state.kind === "open") this.#state.socket.destroy();
    this.#forget();
  }

  #received(chunk: Buffer): void {
    if (this.#sink === undefined) {
      // Nothing was asked, so whatever this is, it must not be taken for the answer to what is asked next.
      this.destroy();
      return;
    }
    this.#heard = true;
    this.#sink.upstreamBytes(chunk, 0, chunk.length);
  }

  #ended(): void {
    if (this.#sink === undefined) this.destroy();
    // No answer comes any more, and it may be that nobody is left to give one.
    else if (this.#owner.supervised && !this.#heard && this.#state.kind === "open") this.#state.socket.destroy();
    else this.#sink.upstreamEnd();
  }

  #closed(): void {
    this.#forget();
    this.#broke({ reason: "reset", sent: this.#written, ...(this.#error !== undefined && { cause: this.#error }) });
  }

  #broke(failure: UpstreamFailure): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    this.#owner.judge(failure, (judged) => {
      // It may have given up meanwhile.
      if (this.#sink !== sink) return;
      this.#sink = undefined;
      sink.upstreamFailed(judged);
    });
  }

  #forget(): void {
    if (this.#state.kind === "gone") return;
    this.#state = gone;
    this.#owner.gone(this);
  }
}
