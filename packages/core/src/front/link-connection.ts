import { connect } from "node:net";
import { LinkError } from "../link/errors.ts";
import type { Hello, Peer } from "../link/frame.ts";
import { type LinkOwner, LinkSession } from "../link/link-session.ts";
import { SocketWire } from "../link/socket-wire.ts";
import type { Clock } from "../model/clock.ts";
import { LinkStream } from "./link-stream.ts";
import type { ClientPeer } from "./upstream.ts";

export interface LinkConnectionOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly hello: Hello;
  /** The connection takes no more exchanges: it is down, or the worker said goodbye. */
  readonly onRetired: (connection: LinkConnection) => void;
  /** An established link broke, or the worker does not speak the protocol. */
  readonly onDown: (error: LinkError) => void;
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
  readonly session: LinkSession;
  #state: ConnectionState = "connecting";
  readonly #options: LinkConnectionOptions;
  /** Opened before the worker greeted. */
  readonly #waiting = new Set<LinkStream>();
  readonly #deadline;

  constructor(options: LinkConnectionOptions) {
    this.#options = options;
    const socket = connect(options.path);
    const wire = new SocketWire(socket);
    this.session = new LinkSession({ side: "front", wire, owner: this, hello: options.hello });
    wire.connect(this.session);
    this.#deadline = options.clock.after(options.connectTimeoutMs, () => {
      this.session.fail(
        new LinkError("LB_LINK_CONNECT", `No greeting from ${options.path} within ${options.connectTimeoutMs} ms.`),
      );
    });
  }

  /** Opens `stream` now or when the worker has greeted. */
  attach(stream: LinkStream): void {
    if (this.#state === "connecting") this.#waiting.add(stream);
    else this.#attachNow(stream);
  }

  /** Ends idle streams now and the others with their exchange; then the connection. */
  retire(): void {
    if (this.#state === "retiring" || this.#state === "over") return;
    const connecting = this.#state === "connecting";
    this.#state = "retiring";
    this.#options.onRetired(this);
    for (const stream of this.#streams()) {
      stream.lastExchange = true;
      if (stream.resting) stream.destroy();
    }
    if (this.session.streams === 0 && !(connecting && this.#waiting.size > 0)) this.#end();
  }

  /** Called at even intervals. */
  sweep(): void {
    for (const stream of this.#streams()) stream.sweep();
  }

  onReady(): void {
    this.#deadline.cancel();
    if (this.#state === "connecting") this.#state = "ready";
    for (const stream of this.#waiting) this.#attachNow(stream);
    this.#waiting.clear();
    this.onLastStream();
  }

  accept(_peer: Peer): never {
    throw new LinkError("LB_LINK_PROTOCOL", "The front accepts no streams.");
  }

  onGoaway(): void {
    this.retire();
  }

  onLastStream(): void {
    if (this.#state === "retiring" && this.session.streams === 0) this.#end();
  }

  onDown(error: LinkError): void {
    const before = this.#state;
    this.#state = "over";
    this.#deadline.cancel();
  }

  *#streams(): Generator<LinkStream> {
    yield* this.#waiting;
    for (const channel of this.session.channels()) yield channel as LinkStream;
  }

  #end(): void {
    this.#state = "over";
    this.#deadline.cancel();
    this.session.end();
  }
}
