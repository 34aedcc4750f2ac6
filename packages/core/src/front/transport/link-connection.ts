import { LinkError } from "../../link/errors.ts";
import { ADDRESS_MAX_BYTES, type Hello, type StreamClient } from "../../link/frame.ts";
import { type LinkOwner, LinkSession } from "../../link/link-session.ts";
import { SocketWire } from "../../link/socket-wire.ts";
import type { StreamEnd, StreamLink } from "../../link/stream-end.ts";
import type { Clock, Timer } from "../../model/clock.ts";
import { connectLink } from "./link-socket.ts";
import type { LinkStream } from "./link-stream.ts";
import type { UpstreamFailure } from "./upstream.ts";

export interface LinkConnectionOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly hello: Hello;
  /** The established link broke, or the worker does not speak the protocol. */
  onDown(error: LinkError): void;
}

/**
 * - `connecting`: no greeting yet; streams wait.
 * - `ready`.
 * - `retiring`: no more exchanges start here; ends with its last stream.
 * - `over`.
 */
type ConnectionState = "connecting" | "ready" | "retiring" | "over";

/** One connection to a worker's intake, and the streams on it. */
export class LinkConnection implements LinkOwner {
  readonly #session: LinkSession;
  readonly #options: LinkConnectionOptions;
  readonly #deadline: Timer;
  #state: ConnectionState = "connecting";
  /** Opened before the worker greeted. */
  readonly #waiting = new Set<LinkStream>();

  constructor(options: LinkConnectionOptions) {
    this.#options = options;
    const wire = new SocketWire(connectLink(options.path, (bytes) => this.#session.feed(bytes)));
    this.#session = new LinkSession({ side: "front", wire, owner: this, hello: options.hello });
    wire.connect(this.#session);
    this.#deadline = options.clock.after(options.connectTimeoutMs, () => {
      this.#session.fail(
        new LinkError("LB_LINK_CONNECT", `No greeting from ${options.path} within ${options.connectTimeoutMs} ms.`),
      );
    });
  }

  /** What streams write to. */
  get link(): StreamLink {
    return this.#session;
  }

  /** Exchanges may start here. */
  get usable(): boolean {
    return this.#state === "connecting" || this.#state === "ready";
  }

  /** Opens `stream` now, or when the worker has greeted; refuses it in a later turn. */
  attach(stream: LinkStream): void {
    if (this.#state === "connecting") this.#waiting.add(stream);
    else if (this.#state !== "ready" || !this.#session.attach(stream, clientOf(stream))) {
      setImmediate(() => stream.fail(this.#refusal()));
    }
  }

  /** Ends idle streams now and the others with their exchange; then the connection. */
  retire(): void {
    if (!this.usable) return;
    this.#state = "retiring";
    for (const stream of this.#streams()) stream.finish();
    if (this.#waiting.size === 0) this.onLastStream();
  }

  /** Gives up streams that have rested since the last call. */
  sweep(): void {
    for (const stream of this.#streams()) stream.sweep();
  }

  onReady(): void {
    this.#deadline.cancel();
    if (this.#state === "connecting") this.#state = "ready";
    for (const stream of this.#waiting) {
      // It may have been destroyed while it waited.
      if (stream.phase === "new" && !this.#session.attach(stream, clientOf(stream))) stream.fail(this.#refusal());
    }
    this.#waiting.clear();
    this.onLastStream();
  }

  accept(): StreamEnd {
    throw new LinkError("LB_LINK_PROTOCOL", "A worker opened a stream, which only the front may.");
  }

  onGoaway(): void {
    this.retire();
  }

  onLastStream(): void {
    if (this.#state !== "retiring" || this.#session.streams > 0) return;
    this.#state = "over";
    this.#deadline.cancel();
    this.#session.end();
  }

  onDown(error: LinkError): void {
    const before = this.#state;
    this.#state = "over";
    this.#deadline.cancel();
    const refused = before === "connecting" && error.code === "LB_LINK_LOST";
    const cause = refused ? this.#cannotConnect(error.cause) : error;
    // One that accepts and does not greet may only be busy.
    const endpointDown = error.code !== "LB_LINK_CONNECT";
    for (const stream of this.#waiting) {
      if (stream.phase === "new") stream.fail({ reason: "connect", sent: false, endpointDown, cause });
    }
    this.#waiting.clear();
    const expected = before === "retiring" && error.code === "LB_LINK_LOST";
    if (!expected && cause.code !== "LB_LINK_CONNECT") this.#options.onDown(cause);
  }

  *#streams(): Generator<LinkStream> {
    yield* this.#waiting;
    for (const stream of this.#session.ends()) yield stream as LinkStream;
  }

  #cannotConnect(cause: unknown): LinkError {
    const why = cause instanceof Error ? cause.message : "it closed the connection";
    return new LinkError("LB_LINK_CONNECT", `Cannot connect to the worker at ${this.#options.path}: ${why}`, { cause });
  }

  #refusal(): UpstreamFailure {
    const cause = new LinkError("LB_LINK_CONNECT", `The worker at ${this.#options.path} takes no more streams.`);
    return { reason: "connect", sent: false, cause };
  }
}

/** A client on a Unix socket has neither address nor port. */
function clientOf(stream: LinkStream): StreamClient {
  const { remoteAddress, remotePort, encrypted } = stream.client;
  return { address: (remoteAddress ?? "").slice(0, ADDRESS_MAX_BYTES), port: remotePort & 0xffff, encrypted };
}
