import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { LinkError } from "../../link/errors.ts";
import { DEFAULT_HELLO, type StreamClient } from "../../link/frame.ts";
import { type LinkOwner, LinkSession } from "../../link/link-session.ts";
import { SocketWire, type WireListener } from "../../link/socket-wire.ts";
import type { StreamEnd } from "../../link/stream-end.ts";
import type { Clock } from "../../model/clock.ts";
import { contained } from "../agent-faults.ts";
import { giveConnection } from "../listen/server-protocol.ts";
import { unwatchResponses, watchResponses } from "./response-watch.ts";
import { VirtualSocket } from "./virtual-socket.ts";

export interface ServeLinkOptions {
  readonly clock: Clock;
  /** What the app sees as its own end of a connection. */
  readonly local?: AddressInfo | undefined;
  /** The link is over; its sockets have been closed. `LB_LINK_LOST` is how every link ends whose front went away. */
  onEnd?(error: LinkError): void;
  /** What is held at most of one stream's request bytes. Default 262,144. */
  readonly windowBytes?: number;
}

/** A front's link into this worker. */
export interface ServedLink {
  /** Client connections on the link. */
  readonly streams: number;
  /**
   * Asks the front to start no more exchanges here: it ends idle streams now, the others with their exchange, then the
   * link.
   */
  drain(): void;
  /** Closes the link and all its sockets at once. */
  destroy(): void;
}

/** Serves the streams of the front that has connected on `socket` as connections of `server`. */
export function serveLink(socket: Socket, server: Server, options: ServeLinkOptions): ServedLink {
  return new LinkIntake(socket, server, options);
}

class LinkIntake implements LinkOwner, ServedLink {
  readonly #server: Server;
  readonly #options: ServeLinkOptions;
  readonly #session: LinkSession;
  readonly #give = (socket: VirtualSocket) => giveConnection(this.#server, socket);

  constructor(socket: Socket, server: Server, options: ServeLinkOptions) {
    this.#server = server;
    this.#options = options;
    const hello = { ...DEFAULT_HELLO, windowBytes: options.windowBytes ?? DEFAULT_HELLO.windowBytes };
    const wire = new SocketWire(socket);
    this.#session = new LinkSession({ side: "worker", wire, owner: this, hello });
    watchResponses();
    wire.connect(this.#containedSession());
    socket.on(
      "data",
      contained(
        "bytes of the front",
        (bytes: Buffer) => void this.#session.feed(bytes),
        () => this.destroy(),
      ),
    );
  }

  /** What the wire tells the session; a fault ends the link, and the front takes a new one or another worker. */
  #containedSession(): WireListener {
    const session = this.#session;
    const fail = () => this.destroy();
    return {
      endTurn: contained("a link's turn", () => session.endTurn(), fail),
      written: contained("a link's write", () => session.written(), fail),
      drained: contained("a link that takes more", () => session.drained(), fail),
      lost: contained("a link's end", (error) => session.lost(error)),
    };
  }

  get streams(): number {
    return this.#session.streams;
  }

  drain(): void {
    this.#session.goaway();
  }

  destroy(): void {
    this.#session.fail(new LinkError("LB_LINK_LOST", "The worker has closed the link."));
  }

  accept(client: StreamClient): StreamEnd {
    return new VirtualSocket({
      link: this.#session,
      client,
      local: this.#options.local,
      clock: this.#options.clock,
      onOpen: this.#give,
    }).stream;
  }

  onReady(): void {}

  onGoaway(): void {}

  onLastStream(): void {}

  onDown(error: LinkError): void {
    unwatchResponses();
    this.#options.onEnd?.(error);
  }
}
