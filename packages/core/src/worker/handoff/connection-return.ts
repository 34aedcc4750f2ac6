import { createServer } from "node:http";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";

// All of Node's internals that the worker's side of a hand-off touches: to see that a connection is between two requests,
// and to get it out of the hands of the HTTP server that it was given to. Node itself lets go of the parser when such a
// socket is sent; only what nobody had parsed or read before that can go along.

interface Handle {
  readStop(): number;
}

interface Parser {
  /**
   * The end of the connection, as Node tells its parser of it: an error in the middle of a message, nothing between two.
   * It changes nothing in the parser's state, so it can be asked.
   */
  finish(): unknown;
}

interface Inside {
  readonly _handle?: Partial<Handle> | null;
  readonly parser?: Partial<Parser> | null;
  /** The app's server; `send` would enter the socket in a list of its own, kept for the `close()` of that server. */
  server?: unknown;
}

/**
 * - `returned`: the connection was sent, and its socket is closed for everybody here;
 * - `busy`: not now;
 * - `unsupported`: never, with this Node.
 */
export type ReturnResult = "returned" | "busy" | "unsupported";

/** Whether a socket that is sent now would wait in Node's queue, where its end here would be its end altogether. */
export function awaitsReceipt(channel: object): boolean {
  const { _handleQueue: queue } = channel as { readonly _handleQueue?: readonly unknown[] | null };
  return queue !== undefined && queue !== null;
}

/**
 * Why connections cannot be given back with this Node, if they cannot. Looks at what there is, and at whether it behaves
 * as is relied upon; one message begun is all that it needs for that, so no listener of anybody hears of it.
 */
export function whyNotReturnable(): string | undefined {
  const connection = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  try {
    createServer().emit("connection", connection);
    const { parser } = connection as Inside;
    if (typeof parser?.finish !== "function") return "HTTP connections have no parser that can be asked.";
    if (parser.finish() instanceof Error) return "The HTTP parser takes its beginning for the middle of a message.";
    connection.emit("data", Buffer.from("GET"));
    if (!(parser.finish() instanceof Error)) return "The HTTP parser does not tell that a message has begun.";
  } catch (error) {
    return `The HTTP server cannot be looked into: ${(error as Error).message}`;
  } finally {
    connection.destroy();
  }
  return undefined;
}

/**
 * Gives a connection up that is between two requests: takes it off the HTTP server and calls `send` for its socket, which
 * has to be sent or destroyed then and there. Then the socket closes for all who hold it here, while the connection goes
 * on. What the client sends meanwhile stays in the kernel. Never throws.
 *
 * The caller knows that no request is unanswered.
 */
export function returnConnection(socket: Socket, send: (socket: Socket) => void): ReturnResult {
  const inside = socket as Socket & Inside;
  if (socket.destroyed || socket.writableEnded || socket.readableEnded) return "busy";
  if (socket.writableLength > 0 || socket.readableLength > 0) return "busy";
  // Somebody besides Node's HTTP server reads here, and may keep what it has read.
  if (socket.listenerCount("data") > 1 || socket.listenerCount("readable") > 0) return "busy";
  const { parser, _handle: handle } = inside;
  // An upgraded connection has none any more.
  if (parser === null) return "busy";
  if (typeof parser?.finish !== "function" || typeof handle?.readStop !== "function") return "unsupported";
  if (parser.finish() instanceof Error) return "busy";
  if (handle.readStop() !== 0) return "busy";
  inside.server = undefined;
  send(socket);
  socket.destroy();
  return "returned";
}
