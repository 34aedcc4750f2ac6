import type { LinkSession, LinkWire } from "./link-session.ts";

/** What is still in the socket when DATA has to wait; what is beyond the kernel's own buffer, that is. */
const CONGESTED_BYTES = 262_144;

/** The part of `net.Socket` that a link uses. */
export interface WireSocket {
  readonly writableLength: number;
  cork(): void;
  uncork(): void;
  write(bytes: Buffer, written?: (error?: Error | null) => void): boolean;
  end(): void;
  destroy(): void;
  on(event: "drain" | "end", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "close", listener: () => void): unknown;
}

/** What a wire tells of itself: to its session. */
export type WireListener = Pick<LinkSession, "endTurn" | "written" | "drained" | "lost">;

/**
 * Joins a session to a socket. Frames leave in `setImmediate`: after every socket that was readable in this turn has been
 * served, so that one write carries what all of them produced; a microtask would run between two sockets and collect
 * nothing.
 */
export class SocketWire implements LinkWire {
  readonly #socket: WireSocket;
  #session: WireListener | undefined;
  #error: Error | undefined;
  readonly #endTurn = () => this.#session?.endTurn();
  readonly #written = (error?: Error | null) => {
    if (!error) this.#session?.written();
  };

  constructor(socket: WireSocket) {
    this.#socket = socket;
  }

  /** Tells `session` what becomes of the socket. Whoever made the socket feeds what it reads to the session. */
  connect(session: WireListener): void {
    const socket = this.#socket;
    this.#session = session;
    socket.on("drain", () => session.drained());
    // A link has no half-closed state.
    socket.on("end", () => socket.destroy());
    // "close" follows, and tells the session.
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("close", () => session.lost(this.#error));
  }

  awaitTurn(): void {
    setImmediate(this.#endTurn);
  }

  write(buffers: Buffer[]): boolean {
    const socket = this.#socket;
    const last = buffers.length - 1;
    if (last > 0) {
      socket.cork();
      for (let i = 0; i < last; i++) socket.write(buffers[i]!);
      socket.write(buffers[last]!, this.#written);
      socket.uncork();
    } else {
      socket.write(buffers[last]!, this.#written);
    }
    return socket.writableLength < CONGESTED_BYTES;
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
