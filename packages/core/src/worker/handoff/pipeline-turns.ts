import type { Socket } from "node:net";
import { contained, noteFault, runApp } from "../agent-faults.ts";
import type { HandedConnection } from "./handed-connection.ts";

/** Requests in flight on one connection beyond which it is read no further; who pipelines at all has a few dozen. */
const maxInFlight = 64;
/** Of bytes that came with a connection, so many are read in a turn where they may be requests: a hundred small ones. */
const requestSliceBytes = 4_096;
/** And so many where they belong to a body. */
const bodySliceBytes = 32_768;

/**
 * Node parses all that a read brought, and has it all answered in the same turn: 64 KB are well over a thousand small
 * requests, and with two hundred clients that send without a pause nobody else is served for minutes. So a connection with
 * very many requests in flight is read again only when they are answered, and of those, one is read in a turn. What the
 * primary had read of a new connection is read in slices.
 */
export class PipelineTurns {
  readonly #waiting: HandedConnection[] = [];
  readonly #idle: (connection: HandedConnection) => void;
  #pumps = false;

  /** `idle`: all that was held back has been read, and nothing is in flight. */
  constructor(idle: (connection: HandedConnection) => void) {
    this.#idle = idle;
  }

  /** Has the app's server read what came with the connection, before anything that is still to come. */
  bring(connection: HandedConnection, bytes: Buffer): void {
    const { socket } = connection;
    const slice = bytes.length <= requestSliceBytes ? bytes : bytes.subarray(0, requestSliceBytes);
    // It may be read, and answered by the app, within the call.
    runApp(() => socket.unshift(slice));
    if (bytes.length === slice.length || socket.destroyed) return;
    connection.rest = bytes.subarray(slice.length);
    connection.bytesRead = socket.bytesRead;
    connection.held = true;
    // Behind the start of the stream, which the server has set off; the kernel is asked only after both.
    process.nextTick(this.#readOn, connection);
  }

  /** A request has begun on it. */
  begun(connection: HandedConnection): void {
    if (connection.active < maxInFlight || connection.held) return;
    connection.held = true;
    // Behind the read that is being parsed; Node starts the socket again with the next message of it.
    process.nextTick(this.#holdSoon, connection);
  }

  /** A request on it has ended. */
  ended(connection: HandedConnection): void {
    if (connection.held) this.#queueIfDue(connection);
  }

  /** It is nobody's HTTP any more: what is held back is the tunnel's. */
  upgraded(connection: HandedConnection): void {
    if (!connection.held) return;
    const { socket, rest } = connection;
    this.#forget(connection);
    if (rest !== undefined) socket.unshift(rest);
    // The stream may wait for what it asked for meanwhile.
    socket._read(0);
  }

  closed(connection: HandedConnection): void {
    if (connection.held) this.#forget(connection);
  }

  readonly #holdSoon = contained("a connection with very many requests", (connection: HandedConnection) => {
    if (connection.held && !connection.socket.destroyed) this.#hold(connection);
  });

  /** Reads nothing more from the kernel. */
  #hold({ socket }: HandedConnection): void {
    // Node resumes it for each body and whenever responses have left, and a stream that is paused still fills its buffer.
    socket.resume = () => socket;
    socket._read = ignore;
    socket.pause();
  }

  /** Of those in flight, the last may be one whose body is still to come. */
  #queueIfDue(connection: HandedConnection): void {
    if (connection.active > 1 || connection.queued) return;
    connection.queued = true;
    this.#waiting.push(connection);
    this.#pump();
  }

  #pump(): void {
    if (this.#pumps) return;
    this.#pumps = true;
    // Not at the end of this turn: the others are to be read once in between.
    setImmediate(this.#soon);
  }

  readonly #soon = () => void setImmediate(this.#next);

  readonly #next = contained("the turn of a connection", () => {
    this.#pumps = false;
    const connection = this.#waiting.shift();
    if (this.#waiting.length > 0) this.#pump();
    if (connection === undefined) return;
    connection.queued = false;
    if (connection.held && !connection.socket.destroyed) this.#read(connection);
  });

  #read(connection: HandedConnection): void {
    const { socket, rest, newest } = connection;
    if (rest !== undefined && socket.bytesRead !== connection.bytesRead) {
      // A Node that does not stop reading when it is told: what came would go before what was there before.
      noteFault("a connection that is read in slices", new Error("Bytes were read out of turn."));
      socket.destroy();
      return;
    }
    // Only what is in its buffer is read: reading from the kernel ends again before the kernel is asked.
    delete (socket as Covered).resume;
    // What was given before and is still there goes first.
    if (rest !== undefined && socket.readableLength === 0) {
      const size = newest === undefined || newest.req.complete ? requestSliceBytes : bodySliceBytes;
      socket.unshift(rest.subarray(0, size));
      connection.rest = rest.length > size ? rest.subarray(size) : undefined;
    }
    const done = connection.rest === undefined;
    if (done) this.#forget(connection);
    socket.resume();
    if (!done) process.nextTick(this.#readOn, connection);
    else if (connection.active === 0) this.#idle(connection);
  }

  /** Its slice has been read by now, and nothing from the kernel. */
  readonly #readOn = contained("a connection that is read in slices", (connection: HandedConnection) => {
    if (!connection.held || connection.socket.destroyed) return;
    this.#hold(connection);
    this.#queueIfDue(connection);
  });

  #forget(connection: HandedConnection): void {
    connection.held = false;
    connection.rest = undefined;
    // Uncovers the socket's own methods.
    delete (connection.socket as Covered).resume;
    delete (connection.socket as Covered)._read;
  }
}

type Covered = Partial<Pick<Socket, "resume" | "_read">>;

function ignore(): void {}
