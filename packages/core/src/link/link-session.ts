import { LinkError } from "./errors.ts";
import { FLAG_UNSEEN, type Hello, MAX_CREDIT_BYTES, type StreamClient } from "./frame.ts";
import { FrameBatch } from "./frame-batch.ts";
import { FrameDecoder, type FrameSink } from "./frame-decoder.ts";
import type { StreamEnd, StreamLink } from "./stream-end.ts";

/** The connection under a session, as the session needs it. */
export interface LinkWire {
  /** Asks for one call of {@link LinkSession.endTurn} when the turn's events have been served. */
  awaitTurn(): void;
  /**
   * Sends the buffers as one write; {@link LinkSession.written} tells when their memory is free. False: the peer reads
   * too slowly, {@link LinkSession.drained} tells when it caught up.
   */
  write(buffers: Buffer[]): boolean;
  /** Closes at once. {@link LinkSession.lost} may follow. */
  destroy(): void;
  /** Closes when all is written. */
  end(): void;
}

/** What a session tells its side. */
export interface LinkOwner {
  /** The peer has greeted: streams can be opened. */
  onReady(): void;
  /** Worker's side: makes the end of a stream that the front opens. {@link StreamEnd.onOpen} follows. */
  accept(client: StreamClient): StreamEnd;
  /** Front's side: the worker takes no more exchanges on this link. */
  onGoaway(): void;
  /** The last stream was closed by both sides. */
  onLastStream(): void;
  /** The link is gone, after all its streams were told. Not called after {@link LinkSession.end}. */
  onDown(error: LinkError): void;
}

export interface LinkSessionOptions {
  /** The front opens streams, the worker accepts them. */
  readonly side: "front" | "worker";
  readonly wire: LinkWire;
  readonly owner: LinkOwner;
  readonly hello: Hello;
}

/**
 * One side of a link: frames in, frames out, the table of streams. It trusts nothing of the peer: what the protocol does
 * not allow closes the link with a {@link LinkError}; nothing is thrown.
 */
export class LinkSession implements FrameSink, StreamLink {
  readonly batch = new FrameBatch();
  readonly grantBytes: number;
  /** Only DATA waits, in the streams; everything else is small and goes on. */
  congested = false;
  flushes = 0;

  readonly #front: boolean;
  readonly #wire: LinkWire;
  readonly #owner: LinkOwner;
  readonly #hello: Hello;
  readonly #decoder = new FrameDecoder(this);
  /** By stream number. Dense, since only numbers up to the next unused one may be opened; 0 stays empty. */
  readonly #ends: (StreamEnd | undefined)[] = [undefined];
  readonly #freeIds: number[] = [];
  readonly #awaitingWrite: { readonly stream: StreamEnd; readonly batch: number }[] = [];
  #blocked: StreamEnd[] = [];
  #writtenBatches = 0;
  #turnAwaited = false;
  #peerHello: Hello | undefined;
  #over = false;
  #streams = 0;

  constructor(options: LinkSessionOptions) {
    this.#front = options.side === "front";
    this.#wire = options.wire;
    this.#owner = options.owner;
    this.#hello = options.hello;
    this.grantBytes = Math.max(1, options.hello.windowBytes >> 1);
    this.batch.hello(options.hello);
    this.appended();
  }

  /** Streams that are not yet closed by both sides. */
  get streams(): number {
    return this.#streams;
  }

  /** Ends of all streams that are not yet closed by both sides. */
  *ends(): Generator<StreamEnd> {
    for (const stream of this.#ends) if (stream !== undefined) yield stream;
  }

  // What the wire tells

  /** True: nothing of the buffer is needed any more. */
  feed(buffer: Buffer): boolean {
    try {
      return this.#decoder.feed(buffer, 0, buffer.length);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      this.fail(error);
      return false;
    }
  }

  /** All that became readable in this turn was served: what it produced leaves in one write. */
  endTurn(): void {
    this.#turnAwaited = false;
    this.#flush();
  }

  written(): void {
    this.#writtenBatches++;
    this.batch.written();
    const waiting = this.#awaitingWrite;
    while (waiting.length > 0 && waiting[0]!.batch < this.#writtenBatches) waiting.shift()!.stream.onWritten();
  }

  drained(): void {
    if (!this.congested) return;
    this.congested = false;
    const blocked = this.#blocked;
    this.#blocked = [];
    // Those that find the link congested again queue up anew, behind nobody who waited as long.
    for (const stream of blocked) stream.resumeSending();
  }

  /** The connection is gone. */
  lost(cause?: Error): void {
    this.fail(
      new LinkError("LB_LINK_LOST", "The link broke: most likely the process at its other end died.", { cause }),
    );
  }

  // What this side asks for

  /** Front's side: gives the stream a number and opens it. False: the worker allows no more of them. */
  attach(stream: StreamEnd, client: StreamClient): boolean {
    const hello = this.#peerHello;
    if (this.#over || hello === undefined || this.#streams >= hello.maxStreams) return false;
    const id = this.#freeIds.pop() ?? this.#ends.length;
    this.batch.open(id, client);
    this.appended();
    this.#register(id, stream, hello);
    return true;
  }

  /** Worker's side: asks the front to start no more exchanges here. */
  goaway(): void {
    if (this.#over) return;
    this.batch.goaway();
    this.appended();
  }

  /** Closes the link when all is written; streams that are still open are lost. */
  end(): void {
    if (this.#over) return;
    this.#flush();
    this.#wire.end();
    this.#finish(new LinkError("LB_LINK_LOST", "This side has ended the link."));
  }

  /** Closes the link at once, because of `error`. */
  fail(error: LinkError): void {
    if (this.#over) return;
    this.#wire.destroy();
    this.#finish(error);
    this.#owner.onDown(error);
  }

  // What streams need

  appended(): void {
    // However large the batch: the marks of its responses come at the end of the turn, and one that comes later than its
    // response makes the front open another stream (bench/link.ts, 16 KB: 10 % of the worker's cost). Windows bound it.
    if (this.#turnAwaited) return;
    this.#turnAwaited = true;
    this.#wire.awaitTurn();
  }

  block(stream: StreamEnd): void {
    this.#blocked.push(stream);
  }

  awaitWritten(stream: StreamEnd, batch: number): void {
    if (batch < this.#writtenBatches) stream.onWritten();
    else this.#awaitingWrite.push({ stream, batch });
  }

  // What the decoder reads

  onHello(hello: Hello): void {
    if (this.#peerHello !== undefined) throw violation("greeted twice");
    if (hello.windowBytes < 1 || hello.windowBytes > MAX_CREDIT_BYTES) throw violation("offered an impossible window");
    this.#peerHello = hello;
    this.#owner.onReady();
  }

  onOpen(id: number, client: StreamClient): void {
    if (this.#front) throw violation("opened a stream, which only the front may");
    if (this.#peerHello === undefined) throw violation("opened a stream before it greeted");
    if (id > this.#ends.length || id > this.#hello.maxStreams || this.#ends[id] !== undefined) {
      throw violation(`opened stream ${id}, which is not free`);
    }
    this.#register(id, this.#owner.accept(client), this.#peerHello);
  }

  onData(id: number, flags: number, buffer: Buffer, start: number, end: number): boolean {
    const stream = this.#endOf(id);
    if (stream.phase !== "open") return true;
    if (stream.finReceived) throw violation(`sent bytes on stream ${id} after its end`);
    if (!stream.receive(end - start)) throw violation(`sent more on stream ${id} than its window allows`);
    if (flags !== 0 && !this.#front) throw violation("marked the end of a response, which only the worker may");
    return stream.onBytes(buffer, start, end, flags !== 0);
  }

  onResponseEnd(id: number): void {
    if (!this.#front) throw violation("marked the end of a response, which only the worker may");
    const stream = this.#endOf(id);
    if (stream.phase === "open") stream.onResponseEnd();
  }

  onFin(id: number, flags: number): void {
    const stream = this.#endOf(id);
    if (stream.phase !== "open") return;
    if (stream.finReceived) throw violation(`ended stream ${id} twice`);
    stream.finReceived = true;
    stream.onFin(flags === FLAG_UNSEEN);
  }

  onClose(id: number, flags: number): void {
    const stream = this.#endOf(id);
    const answered = stream.phase === "closing";
    this.#ends[id] = undefined;
    this.#streams--;
    if (this.#front) this.#freeIds.push(id);
    if (!answered) {
      this.batch.close(id, 0);
      this.appended();
    }
    stream.phase = "closed";
    if (!answered) stream.onPeerClose(flags === FLAG_UNSEEN);
    if (this.#streams === 0) this.#owner.onLastStream();
  }

  onWindow(id: number, bytes: number): void {
    const stream = this.#endOf(id);
    if (stream.phase !== "open") return;
    stream.credit += bytes;
    if (bytes === 0 || stream.credit > MAX_CREDIT_BYTES) throw violation(`granted ${bytes} bytes on stream ${id}`);
    if (!stream.drained) stream.resumeSending();
  }

  onGoaway(): void {
    if (!this.#front || this.#peerHello === undefined) throw violation("said goodbye out of turn");
    this.#owner.onGoaway();
  }

  #endOf(id: number): StreamEnd {
    const stream = this.#ends[id];
    if (stream === undefined) throw violation(`sent a frame for stream ${id}, which is not open`);
    return stream;
  }

  #register(id: number, stream: StreamEnd, peerHello: Hello): void {
    stream.id = id;
    stream.phase = "open";
    stream.credit = peerHello.windowBytes;
    stream.allowance = this.#hello.windowBytes;
    this.#ends[id] = stream;
    this.#streams++;
    stream.onOpen();
  }

  #flush(): void {
    if (this.#over || this.batch.bytes === 0) return;
    this.flushes++;
    if (!this.#wire.write(this.batch.take())) this.congested = true;
  }

  #finish(error: LinkError): void {
    this.#over = true;
    this.#decoder.stop();
    const ends = [...this.ends()];
    this.#ends.length = 1;
    this.#streams = 0;
    for (const stream of ends) {
      stream.phase = "closed";
      stream.onLost(error);
    }
  }
}

function violation(what: string): LinkError {
  return new LinkError("LB_LINK_PROTOCOL", `The peer ${what}; the link is closed.`);
}
