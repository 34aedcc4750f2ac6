import type { FrameOutput } from "./frame-output.ts";
import { HeldBody } from "./held-body.ts";
import type { HeaderList } from "./hpack/decoder.ts";
import { defaultFrameBytes, type ErrorCode, errorCode, maxWindow } from "./protocol.ts";
import { ReceiveWindow } from "./receive-window.ts";
import type { Sending, SendWindow } from "./send-window.ts";

/** Whoever answers a stream. */
export interface StreamUser {
  /** Of the client's body, while the stream is not paused. `buffer` is not used again. */
  streamData(buffer: Buffer, start: number, end: number): void;
  /** The client has said all; its trailers, if there were any. Not while the stream is paused. */
  streamEnded(trailers: HeaderList | undefined): void;
  /** What waited to be sent has gone. */
  streamDrained(): void;
  /** Nothing comes, and nothing goes, any more. */
  streamClosed(): void;
}

/** The connection of a stream, as it needs it. */
export interface StreamHome {
  readonly output: FrameOutput;
  readonly sendWindow: SendWindow;
  /** What a stream may send us before we have read it. */
  readonly windowBytes: number;
  /** So much more of what came waits in a stream, or less. */
  held(bytes: number): void;
  /** A stream has closed by what it has sent; its user is to hear of it when this turn ends. */
  streamClosing(stream: Http2Stream, way: "ended" | "reset"): void;
}

/** A direction of a stream (RFC 9113 §5.1). `ending`: its last byte is known, and waits. */
type Direction = "open" | "ending" | "ended";

/** Pieces up to which bytes are copied that have to wait, so that who gave them can have his buffer back. */
const maxCopiedBytes = defaultFrameBytes;

/** One stream of a client. */
export class Http2Stream implements Sending {
  readonly id: number;
  /** Set by whoever is told of the stream. */
  user!: StreamUser;
  readonly #home: StreamHome;
  #input: Direction;
  #output: Direction = "open";
  #closed = false;

  readonly #window: ReceiveWindow;
  #paused = true;
  #held: HeldBody | undefined;
  #trailers: HeaderList | undefined;

  /** What we may send; negative where the client has changed its mind (RFC 9113 §6.9.2). */
  #sendable: number;
  /** What did not go, first at 0. */
  readonly #waiting: Buffer[] = [];
  #lent = false;
  #ownTrailers: Buffer | undefined;
  #restUnwanted = false;

  constructor(id: number, home: StreamHome, { endStream, sendable }: { endStream: boolean; sendable: number }) {
    this.id = id;
    this.#home = home;
    this.#input = endStream ? "ended" : "open";
    this.#window = new ReceiveWindow(home.windowBytes);
    this.#sendable = sendable;
  }

  /** The client has said that it sends no more. */
  get inputEnded(): boolean {
    return this.#input !== "open";
  }

  /** No frame of ours can go on it any more, but for a reset. */
  get outputEnded(): boolean {
    return this.#output !== "open" || this.#closed;
  }

  /** Bytes that were not copied wait. */
  get lent(): boolean {
    return this.#lent;
  }

  /** A head: of an interim response, or of the response; the last frame, if `endStream`. */
  respond(block: Buffer, endStream: boolean): void {
    if (this.outputEnded) return;
    this.#home.output.headers(this.id, block, endStream);
    if (endStream) this.#outputDone();
  }

  /**
   * Of the response; `last`: there is no more. False: some of it has to wait, and {@link StreamUser.streamDrained} tells when it has
   * gone. A buffer of which much has to wait is {@link lent} until then.
   */
  send(buffer: Buffer, start: number, end: number, last = false): boolean {
    if (this.outputEnded) return true;
    let at = start;
    if (this.#waiting.length === 0) {
      while (at < end) {
        const bytes = this.#frameBytes(end - at);
        if (bytes <= 0) break;
        this.#sent(bytes);
        at += bytes;
        this.#home.output.data(this.id, buffer, at - bytes, at, last && at === end);
      }
      if (at === end) {
        if (last && start === end) this.#home.output.data(this.id, buffer, end, end, true);
        if (last) this.#outputDone();
        return true;
      }
    }
    if (at < end) this.#keep(buffer, at, end);
    if (last) this.#output = "ending";
    return false;
  }

  /** The response is complete, with `trailers` if it has any. */
  finish(trailers?: Buffer): void {
    if (this.outputEnded) return;
    if (this.#waiting.length > 0) {
      this.#output = "ending";
      this.#ownTrailers = trailers;
    } else this.#finish(trailers);
  }

  /** The client is to send no more when the response is complete (RFC 9113 §8.1). */
  refuseRest(): void {
    this.#restUnwanted = true;
    this.#dropHeld();
    if (this.#output === "ended") this.#outputDone();
  }

  reset(code: ErrorCode): void {
    if (this.#closed) return;
    this.#home.output.rstStream(this.id, code);
    this.#close();
    this.#home.streamClosing(this, "reset");
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const held = this.#held?.take();
    if (held !== undefined) {
      this.#home.held(-held.length);
      this.user.streamData(held, 0, held.length);
      this.#returned(held.length);
    }
    if (!this.#paused && !this.#closed && this.#input === "ending") this.#inputDone();
  }

  /** The client announces so many bytes. False: more than it may. */
  expects(bytes: number): boolean {
    return this.#window.take(bytes);
  }

  received(buffer: Buffer, start: number, end: number): void {
    if (this.#closed || this.#restUnwanted) return;
    if (this.#paused) {
      this.#held ??= new HeldBody(this.#home.windowBytes);
      this.#held.keep(buffer, start, end);
      this.#home.held(end - start);
      return;
    }
    this.user.streamData(buffer, start, end);
    this.#returned(end - start);
  }

  /** Octets of a frame that are nothing to anybody. */
  padded(bytes: number): void {
    this.#returned(bytes);
  }

  receivedEnd(trailers: HeaderList | undefined): void {
    if (this.#closed) return;
    this.#trailers = trailers;
    this.#input = "ending";
    if (!this.#paused || this.#restUnwanted) this.#inputDone();
  }

  /** The client has given it up, or spoilt it, or has gone. */
  closedByClient(): void {
    if (this.#closed) return;
    this.#close();
    this.user.streamClosed();
  }

  /** The client opens its window. False: further than one can be. */
  windowOpened(bytes: number): boolean {
    if (!this.windowChanged(bytes)) return false;
    this.#home.sendWindow.run();
    return true;
  }

  /** The client has changed what its windows are at first. False: this one would be larger than one can be. */
  windowChanged(difference: number): boolean {
    if (this.#sendable + difference > maxWindow) return false;
    this.#sendable += difference;
    if (this.#waiting.length > 0 && this.#sendable > 0) this.#home.sendWindow.wait(this);
    return true;
  }

  sendFrame(): boolean {
    const buffer = this.#waiting[0]!;
    const bytes = this.#frameBytes(buffer.length);
    if (bytes <= 0) return false;
    this.#sent(bytes);
    const whole = bytes === buffer.length;
    if (whole) this.#waiting.shift();
    else this.#waiting[0] = buffer.subarray(bytes);
    const drained = this.#waiting.length === 0;
    const ends = drained && this.#output === "ending" && this.#ownTrailers === undefined;
    this.#home.output.data(this.id, buffer, 0, bytes, ends);
    if (!drained) return this.#sendable > 0;
    this.#lent = false;
    if (ends) this.#outputDone();
    else if (this.#output === "ending") this.#finish(this.#ownTrailers);
    if (!this.#closed) this.user.streamDrained();
    return false;
  }

  #finish(trailers: Buffer | undefined): void {
    if (trailers === undefined) this.#home.output.data(this.id, nothing, 0, 0, true);
    else this.#home.output.headers(this.id, trailers, true);
    this.#outputDone();
  }

  #frameBytes(wanted: number): number {
    return Math.min(wanted, this.#sendable, this.#home.sendWindow.frameBytes);
  }

  #sent(bytes: number): void {
    this.#sendable -= bytes;
    this.#home.sendWindow.taken(bytes);
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    const bytes = buffer.subarray(start, end);
    if (bytes.length <= maxCopiedBytes) this.#waiting.push(Buffer.from(bytes));
    else {
      this.#waiting.push(bytes);
      this.#lent = true;
    }
    if (this.#sendable > 0) this.#home.sendWindow.wait(this);
  }

  #returned(bytes: number): void {
    if (this.#closed || this.#input !== "open") return;
    const opened = this.#window.read(bytes);
    if (opened > 0) this.#home.output.windowUpdate(this.id, opened);
  }

  #inputDone(): void {
    this.#input = "ended";
    if (!this.#restUnwanted) this.user.streamEnded(this.#trailers);
    if (this.#output === "ended" && !this.#closed) this.#endedBoth();
  }

  #outputDone(): void {
    this.#output = "ended";
    // A body that waits to be read is read first.
    if (this.#input === "ended" || (this.#input === "ending" && this.#restUnwanted)) this.#endedBoth();
    else if (this.#restUnwanted) this.reset(errorCode.noError);
  }

  #endedBoth(): void {
    if (this.#closed) return;
    this.#close();
    this.#home.streamClosing(this, "ended");
  }

  #close(): void {
    this.#closed = true;
    this.#home.sendWindow.leave(this);
    this.#waiting.length = 0;
    this.#lent = false;
    this.#dropHeld();
  }

  #dropHeld(): void {
    if (this.#held === undefined) return;
    this.#home.held(-this.#held.length);
    this.#held = undefined;
  }
}

const nothing = Buffer.alloc(0);
