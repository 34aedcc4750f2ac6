import { AsyncResource } from "node:async_hooks";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { FLAG_UNSEEN, type StreamClient } from "../../link/frame.ts";
import { LEND_BYTES } from "../../link/frame-batch.ts";
import { type Sent, StreamEnd, type StreamLink } from "../../link/stream-end.ts";
import type { Clock } from "../../model/clock.ts";
import { contain, noteFault } from "../agent-faults.ts";
import { ClientSocket } from "./client-socket.ts";
import { InactivityTimer } from "./inactivity-timer.ts";

export interface VirtualSocketOptions {
  readonly link: StreamLink;
  readonly client: StreamClient;
  /** What the app sees as its own end. */
  readonly local: AddressInfo | undefined;
  readonly clock: Clock;
  /** Gives the socket to the app's server. */
  readonly onOpen: (socket: VirtualSocket) => void;
}

type WriteCallback = (error?: Error | null) => void;

/**
 * The worker's end of a stream on the link: a client's connection as the app's server sees it, like a `net.Socket` in all
 * that Node's HTTP server, the frameworks and WebSocket libraries use.
 *
 * Between two exchanges it is idle. The front owns idle connections, so a timeout set on the socket (Node's
 * `keepAliveTimeout` is one) does not run meanwhile; it ends when its client leaves or the front has not used it for long.
 */
export class VirtualSocket extends ClientSocket {
  readonly stream: StreamEnd;
  readonly #clock: Clock;
  #inactivity: InactivityTimer | undefined;
  /** No byte of an exchange has come since the last response ended. */
  #idle = true;
  /** The front was told that nothing more is seen here, and sends elsewhere what it sent meanwhile. */
  #refusing = false;
  /** The response in progress that was begun last, and the one whose end was marked before it was finished. */
  #response: ServerResponse | undefined;
  #markedEarly: ServerResponse | undefined;
  /** The callback of a write that waits for credit, or for lent memory to be written. */
  #heldCallback: WriteCallback | undefined;
  /** The context (AsyncLocalStorage) of that write. */
  #heldContext: AsyncResource | undefined;
  /** What that write took of {@link writableLength}. */
  #heldLength = 0;
  /** Its response waits for "drain", of which the stream machinery knows nothing. */
  #owesDrain = false;
  #defaultsToUtf8 = true;

  constructor({ link, client, local, clock, onOpen }: VirtualSocketOptions) {
    super(client, local);
    this.#clock = clock;
    this.stream = new SocketStreamEnd(link, this, onOpen);
  }

  get bytesWritten(): number {
    return this.stream.bytesSent + this.stream.queuedBytes;
  }

  /**
   * As `Duplex.write`, with a shortcut for what is copied into the batch at once: it need not pass the machinery that
   * waits for slow writes. (bench/link.ts: 5 % of a small request's cost in the worker.)
   */
  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    if (this.writableLength === 0 && this.writable && this.#sendsAtOnce(chunk, encoding)) {
      if (this.timeout > 0) this.#watchActivity();
      if (typeof callback === "function") process.nextTick(callback as WriteCallback, null);
      return true;
    }
    return super.write(chunk, encoding as BufferEncoding, callback as WriteCallback);
  }

  override uncork(): void {
    super.uncork();
    if (this.#response?.writableNeedDrain === true) process.nextTick(tellRoom, this);
  }

  /**
   * What a response writes while it is corked it counts by itself, and from Node 26 on all that it writes in a turn. It
   * expects that the bytes went through this socket's buffer, and that "drain" tells when they are gone; {@link write} sent
   * most of them at once, so that the socket may know of nobody who waits.
   */
  tellRoom(): void {
    if (this.#response?.writableNeedDrain !== true || this.writableNeedDrain) return;
    this.#owesDrain = this.writableLength > 0;
    if (!this.#owesDrain) this.emit("drain");
  }

  override setDefaultEncoding(encoding: BufferEncoding): this {
    this.#defaultsToUtf8 = encoding === "utf8";
    return super.setDefaultEncoding(encoding);
  }

  // What the app's responses tell

  responseStarted(response: ServerResponse): void {
    this.#response = response;
  }

  /** All its bytes have been taken. */
  responseFinished(response: ServerResponse): void {
    if (response === this.#response) this.#response = undefined;
    if (response === this.#markedEarly) this.#markedEarly = undefined;
    else this.endResponse();
  }

  /** All bytes of the response were written to this socket: the front may use the stream for the next request. */
  endResponse(): void {
    // Bytes that came early are of the next exchange: it was seen.
    this.#idle = this.readableLength === 0;
    this.stream.sendResponseEnd();
  }

  // What the stream machinery asks for

  /** Every way to consume what is buffered goes through here. */
  override read(size?: number): unknown {
    const chunk = super.read(size);
    this.stream.settle(this.readableLength);
    return chunk;
  }

  /** The peer sends as long as it has credit, and {@link read} gives it more. */
  override _read(): void {}

  override _write(chunk: Buffer | string, encoding: BufferEncoding, callback: WriteCallback): void {
    try {
      if (!this.#gone(callback)) this.#settleWrite(this.#send(chunk, encoding), chunk.length, callback);
    } catch (error) {
      writeFault(error, callback);
    }
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], callback: WriteCallback): void {
    try {
      if (this.#gone(callback)) return;
      let sent: Sent = "copied";
      let length = 0;
      for (const { chunk, encoding } of chunks) {
        length += chunk.length;
        const one = this.#send(chunk, encoding);
        if (one === "queued" || sent === "copied") sent = one;
      }
      this.#settleWrite(sent, length, callback);
    } catch (error) {
      writeFault(error, callback);
    }
  }

  override _final(callback: WriteCallback): void {
    contain("the end of a stream", () => {
      this.#refusing = this.#idle;
      this.stream.sendFin(this.#idle ? FLAG_UNSEEN : 0);
    });
    callback();
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    contain("closing a stream", () => {
      this.#inactivity?.cancel();
      this.stream.close(this.#idle ? FLAG_UNSEEN : 0);
    });
    callback(error);
    // As the kernel's answer to a write whose socket was closed under it: it did not succeed.
    if (this.#heldCallback !== undefined) this.#releaseWrite(error ?? writeError("ECANCELED"));
    process.nextTick(emitClose, this, error !== null);
  }

  protected override timeoutChanged(): void {
    if (this.timeout === 0) this.#inactivity?.set(0);
    else if (!this.#idle) this.#watchActivity();
  }

  // What the stream tells

  receive(buffer: Buffer, start: number, end: number): void {
    if (this.#refusing) return;
    const bytes = buffer.subarray(start, end);
    this.bytesRead += bytes.length;
    this.#idle = false;
    // What is not consumed at once must not keep a whole read of the link alive.
    this.deliver(this.readableFlowing !== true && bytes.length * 2 < buffer.length ? Buffer.from(bytes) : bytes);
    this.stream.settle(this.readableLength);
    if (this.timeout > 0) this.#watchActivity();
  }

  /**
   * Pushes, or does what `push` comes to when nothing is buffered (bench/link.ts: 4 % of a small request's cost in the
   * worker, most of it for asking this socket for more). When a listener of the app throws, that must not touch other
   * connections, as it would not if this one had a socket of its own.
   */
  deliver(bytes: Buffer | null): void {
    try {
      if (bytes !== null && this.#passesOn()) this.emit("data", bytes);
      else this.push(bytes);
    } catch (error) {
      process.nextTick(rethrow, error);
    }
  }

  /** The client, or the front, is gone. */
  leave(): void {
    // What it sent before it left in good order is still to be read.
    if (this.stream.finReceived && !this.readableEnded) this.once("end", () => this.destroy());
    else this.destroy();
  }

  /** Nothing is queued any more. */
  writeDrained(): void {
    if (this.#heldCallback !== undefined) this.stream.link.awaitWritten(this.stream, this.stream.lentBatch);
  }

  /** Lent memory is free. */
  writeWritten(): void {
    if (this.stream.drained) this.#releaseWrite(null);
  }

  #passesOn(): boolean {
    return (
      this.readableFlowing === true &&
      this.readableLength === 0 &&
      this.readableEncoding === null &&
      this.listenerCount("data") > 0
    );
  }

  #sendsAtOnce(chunk: unknown, encoding: unknown): boolean {
    try {
      return this.#sendAtOnce(chunk, encoding);
    } catch (error) {
      noteFault("a write to the front", error);
      this.destroy(error as Error);
      return false;
    }
  }

  #sendAtOnce(chunk: unknown, encoding: unknown): boolean {
    if (typeof chunk === "string") {
      const latin1 = encoding === "latin1";
      if (!latin1 && encoding !== "utf8" && !(encoding == null && this.#defaultsToUtf8)) return false;
      if (!this.stream.takes(latin1 ? chunk.length : chunk.length * 3)) return false;
      this.stream.sendText(chunk, latin1 ? "latin1" : "utf8");
      return true;
    }
    if (!(chunk instanceof Buffer) || typeof encoding === "function") return false;
    if (chunk.length >= LEND_BYTES || !this.stream.takes(chunk.length)) return false;
    this.stream.send(chunk);
    return true;
  }

  #send(chunk: Buffer | string, encoding: BufferEncoding): Sent {
    if (typeof chunk !== "string") return this.stream.send(chunk);
    switch (encoding) {
      case "latin1":
      case "binary":
      case "ascii":
        return this.stream.sendText(chunk, "latin1");
      case "utf8":
      case "utf-8":
        return this.stream.sendText(chunk, "utf8");
      default:
        return this.stream.send(Buffer.from(chunk, encoding));
    }
  }

  /** Counts a write as activity. True: the client is gone, and the write has failed. */
  #gone(callback: WriteCallback): boolean {
    if (this.timeout > 0) this.#watchActivity();
    if (this.stream.phase !== "closed") return false;
    callback(writeError("EPIPE"));
    return true;
  }

  #settleWrite(sent: Sent, length: number, callback: WriteCallback): void {
    if (sent === "copied") {
      callback();
      return;
    }
    // It will be called in a turn of the link's. (`AsyncResource.bind` does the same in 5 µs instead of 0.1.)
    this.#heldCallback = callback;
    this.#heldContext = new AsyncResource("LinkWrite", { requireManualDestroy: true });
    this.#heldLength = length;
    if (sent === "lent") this.stream.link.awaitWritten(this.stream, this.stream.lentBatch);
    if (this.#response !== undefined) process.nextTick(markEarly, this);
  }

  /**
   * When the write that is held is the last of its response, the front can be told at once: it will have all bytes before
   * the mark, and should not have to wait with its next request until this side learns that they left.
   */
  markIfLast(): void {
    const response = this.#response;
    if (response === undefined || !response.writableEnded || this.#heldCallback === undefined) return;
    const allGiven = this.writableLength === this.#heldLength && response.writableLength === this.#heldLength;
    if (!allGiven || response === this.#markedEarly) return;
    this.#markedEarly = response;
    this.endResponse();
  }

  #releaseWrite(error: Error | null): void {
    if (this.#heldCallback === undefined) return;
    process.nextTick(callBack, this.#heldContext, this.#heldCallback, error);
    this.#heldCallback = undefined;
    this.#heldContext = undefined;
    if (this.#owesDrain) process.nextTick(tellRoom, this);
  }

  #watchActivity(): void {
    this.#inactivity ??= new InactivityTimer(this.#clock, () => {
      if (!this.#idle) this.emit("timeout");
    });
    this.#inactivity.set(this.timeout);
  }
}

class SocketStreamEnd extends StreamEnd {
  readonly #socket: VirtualSocket;
  readonly #onOpen: (socket: VirtualSocket) => void;

  constructor(link: StreamLink, socket: VirtualSocket, onOpen: (socket: VirtualSocket) => void) {
    super(link);
    this.#socket = socket;
    this.#onOpen = onOpen;
  }

  override onOpen(): void {
    try {
      this.#onOpen(this.#socket);
    } catch (error) {
      process.nextTick(rethrow, error);
    }
  }

  override onBytes(buffer: Buffer, start: number, end: number): boolean {
    this.#socket.receive(buffer, start, end);
    // The app may keep what it reads.
    return false;
  }

  /** Only the front is told of a response's end. */
  override onResponseEnd(): void {}

  override onFin(): void {
    this.#socket.deliver(null);
  }

  override onPeerClose(): void {
    this.#socket.leave();
  }

  override onLost(): void {
    this.#socket.leave();
  }

  override onDrained(): void {
    this.#socket.writeDrained();
  }

  override onWritten(): void {
    this.#socket.writeWritten();
  }
}

function callBack(context: AsyncResource, callback: WriteCallback, error: Error | null): void {
  context.runInAsyncScope(callback, undefined, error);
  context.emitDestroy();
}

function tellRoom(socket: VirtualSocket): void {
  socket.tellRoom();
}

function markEarly(socket: VirtualSocket): void {
  socket.markIfLast();
}

function emitClose(socket: VirtualSocket, hadError: boolean): void {
  socket.emit("close", hadError);
}

/** Where the app would get an exception from `write`, its socket fails as it may at any time. */
function writeFault(error: unknown, callback: WriteCallback): void {
  noteFault("a write to the front", error);
  callback(error as Error);
}

function writeError(code: "EPIPE" | "ECANCELED"): Error {
  return Object.assign(new Error(`write ${code}`), { code, syscall: "write" });
}

function rethrow(error: unknown): never {
  throw error;
}
