import type { Socket } from "node:net";

// All of Node's internals that the primary's side of a hand-off touches. That a connection is read and then passed on is
// more than `child.send(message, socket)` is documented for: what the primary reads too much is lost to the worker, and
// `pause()` does not stop a socket that has room in its buffer.

/** A stream as libuv holds it. */
interface Handle {
  readStop(): number;
  readStart(): number;
}

interface SocketInside {
  readonly _handle: Handle | null;
  /** The server that accepted it. `send` would enter it in a list of its own, kept for `server.close()`. */
  server?: unknown;
}

/**
 * Reads nothing more, not even in the turn of the event loop that is under way. The socket's own notion of reading is
 * left as it is, since it would start again by itself otherwise.
 */
export function stopReading(socket: Socket): void {
  (socket as unknown as SocketInside)._handle?.readStop();
}

/** After {@link stopReading}, when the connection stays here after all. */
export function startReading(socket: Socket): void {
  (socket as unknown as SocketInside)._handle?.readStart();
}

/** Whether there still is a connection to send. Without one, Node would send the message alone. */
export function isSendable(socket: Socket): boolean {
  return !socket.destroyed && (socket as unknown as SocketInside)._handle !== null;
}

/** Makes ready for being sent; the server's count of its connections is not concerned. */
export function leaveServer(socket: Socket): void {
  (socket as unknown as SocketInside).server = undefined;
}
