import { AsyncResource } from "node:async_hooks";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { Channel, type ChannelLink, type Sent } from "../link/channel.ts";
import { FLAG_UNSEEN, type Peer } from "../link/frame.ts";
import type { Clock } from "../model/clock.ts";
import { InactivityTimer } from "./inactivity-timer.ts";

export interface VirtualSocketOptions {
  readonly link: ChannelLink;
  readonly peer: Peer;
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
export class VirtualSocket extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly remoteFamily: "IPv4" | "IPv6";
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly localFamily: string | undefined;
  readonly encrypted: boolean;
  readonly connecting = false;
  readonly pending = false;
  readonly autoSelectFamilyAttemptedAddresses: string[] = [];
  bytesRead = 0;
  timeout = 0;

  readonly channel: Channel;
  readonly #clock: Clock;
  #inactivity: InactivityTimer | undefined;
  /** No byte of an exchange has come since the last response ended. */
  #idle = true;
  /** The front was told that nothing more is seen here, and sends elsewhere what it sent meanwhile. */
  #refusing = false;
  /** The callback of a write that waits for credit, or for lent memory to be written. */
  #heldCallback: WriteCallback | undefined;

  constructor(options: VirtualSocketOptions) {
    // As `net.Socket`: strings are encoded where they are sent, and "close" tells whether there was an error.
    super({ allowHalfOpen: true, decodeStrings: false, emitClose: false });
    const { peer, local } = options;
    this.remoteAddress = peer.address;
    this.remotePort = peer.port;
    this.remoteFamily = peer.address.includes(":") ? "IPv6" : "IPv4";
    this.localAddress = local?.address;
    this.localPort = local?.port;
    this.localFamily = local?.family;
    this.encrypted = peer.encrypted;
    this.#clock = options.clock;
    this.channel = new SocketChannel(options.link, this, options.onOpen);
  }

  get bytesWritten(): number {
    return this.channel.bytesSent + this.channel.queuedBytes;
  }

  get bufferSize(): number {
    return this.writableLength;
  }

  get readyState(): "open" | "readOnly" | "writeOnly" | "closed" {
    if (this.readable) return this.writable ? "open" : "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }

  address(): AddressInfo | Record<string, never> {
    const { localAddress: address, localPort: port, localFamily: family } = this;
    return address === undefined ? {} : { address, port: port!, family: family! };
  }

  setTimeout(ms: number, callback?: () => void): this {
    if (this.destroyed) return this;
    if (typeof ms !== "number" || !(ms >= 0)) throw new RangeError(`setTimeout takes milliseconds >= 0, not ${ms}`);
    this.timeout = ms;
    if (callback !== undefined) {
      if (ms === 0) this.removeListener("timeout", callback);
      else this.once("timeout", callback);
    }
    if (!this.#idle || this.#inactivity !== undefined) this.#watchActivity();
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", this.destroy);
  }

  resetAndDestroy(): this {
    return this.destroy();
  }

  /** The response is complete, and all its bytes were written to this socket. */
  endResponse(): void {
    // Bytes that came early are of the next exchange: it was seen.
    this.#idle = this.readableLength === 0;
    this.channel.sendResponseEnd();
  }

  // What the stream machinery asks for

  /** Every way to consume what is buffered goes through here. */
  override read(size?: number): unknown {
    const chunk = super.read(size);
    this.channel.settle(this.readableLength);
    return chunk;
  }

  /** The peer sends as long as it has credit, and {@link read} gives it more. */
  override _read(): void {}

  override _write(chunk: Buffer | string, encoding: BufferEncoding, callback: WriteCallback): void {
    if (this.#gone(callback)) return;
    this.#settleWrite(this.#send(chunk, encoding), callback);
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], callback: WriteCallback): void {
    if (this.#gone(callback)) return;
    let sent: Sent = "copied";
    for (const { chunk, encoding } of chunks) {
      const one = this.#send(chunk, encoding);
      if (one === "queued" || sent === "copied") sent = one;
    }
    this.#settleWrite(sent, callback);
  }

  override _final(callback: WriteCallback): void {
    this.#refusing = this.#idle;
    this.channel.sendFin(this.#idle ? FLAG_UNSEEN : 0);
    callback();
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    this.#inactivity?.cancel();
    this.channel.close(this.#idle ? FLAG_UNSEEN : 0);
    callback(error);
    // As the kernel's answer to a write whose socket was closed under it: it did not succeed.
    if (this.#heldCallback !== undefined) this.#releaseWrite(error ?? writeError("ECANCELED"));
    process.nextTick(emitClose, this, error !== null);
  }

  // What the channel tells

  receive(buffer: Buffer, start: number, end: number): void {
    if (this.#refusing) return;
    const bytes = buffer.subarray(start, end);
    this.bytesRead += bytes.length;
    this.#idle = false;
    // What is not consumed at once must not keep a whole read of the link alive.
    this.deliver(this.readableFlowing !== true && bytes.length * 2 < buffer.length ? Buffer.from(bytes) : bytes);
    this.channel.settle(this.readableLength);
    if (this.timeout > 0) this.#watchActivity();
  }

  /**
   * Pushes. When a listener of the app throws, that must not touch other connections, as it would not if this one had a
   * socket of its own.
   */
  deliver(bytes: Buffer | null): void {
    try {
      this.push(bytes);
    } catch (error) {
      process.nextTick(rethrow, error);
    }
  }

  /** The client, or the front, is gone. */
  leave(): void {
    // What it sent before it left in good order is still to be read.
    if (this.channel.finReceived && !this.readableEnded) this.once("end", () => this.destroy());
    else this.destroy();
  }

  /** Nothing is queued any more. */
  writeDrained(): void {
    if (this.#heldCallback !== undefined) this.channel.link.awaitWritten(this.channel, this.channel.lentBatch);
  }

  /** Lent memory is free. */
  writeWritten(): void {
    if (this.channel.drained) this.#releaseWrite(null);
  }

  /** Counts a write as activity. True: the client is gone, and the write has failed. */
  #gone(callback: WriteCallback): boolean {
    if (this.timeout > 0) this.#watchActivity();
    if (this.channel.phase !== "closed") return false;
    callback(writeError("EPIPE"));
    return true;
  }

  #send(chunk: Buffer | string, encoding: BufferEncoding): Sent {
    if (typeof chunk !== "string") return this.channel.send(chunk);
    switch (encoding) {
      case "latin1":
      case "binary":
      case "ascii":
        return this.channel.sendText(chunk, "latin1");
      case "utf8":
      case "utf-8":
        return this.channel.sendText(chunk, "utf8");
      default:
        return this.channel.send(Buffer.from(chunk, encoding));
    }
  }

  #settleWrite(sent: Sent, callback: WriteCallback): void {
    if (sent === "copied") {
      callback();
      return;
    }
    // It will be called in a turn of the link's; the app's context (AsyncLocalStorage) is that of its write.
    this.#heldCallback = AsyncResource.bind(callback);
    if (sent === "lent") this.channel.link.awaitWritten(this.channel, this.channel.lentBatch);
  }

  #releaseWrite(error: Error | null): void {
    if (this.#heldCallback === undefined) return;
    process.nextTick(this.#heldCallback, error);
    this.#heldCallback = undefined;
  }

  #watchActivity(): void {
    this.#inactivity ??= new InactivityTimer(this.#clock, () => {
      if (!this.#idle) this.emit("timeout");
    });
    this.#inactivity.set(this.timeout);
  }
}

class SocketChannel extends Channel {
  readonly #socket: VirtualSocket;
  readonly #onOpen: (socket: VirtualSocket) => void;

  constructor(link: ChannelLink, socket: VirtualSocket, onOpen: (socket: VirtualSocket) => void) {
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

  override onBytes(buffer: Buffer, start: number, end: number): void {
    this.#socket.receive(buffer, start, end);
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

function emitClose(socket: VirtualSocket, hadError: boolean): void {
  socket.emit("close", hadError);
}

function writeError(code: "EPIPE" | "ECANCELED"): Error {
  return Object.assign(new Error(`write ${code}`), { code, syscall: "write" });
}

function rethrow(error: unknown): never {
  throw error;
}
