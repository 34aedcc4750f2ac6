import type { Channel, ChannelLink } from "./channel.ts";
import { LinkError } from "./errors.ts";
import { FLAG_UNSEEN, type Hello, MAX_CREDIT_BYTES, type Peer } from "./frame.ts";
import { FrameBatch } from "./frame-batch.ts";
import { FrameDecoder, type FrameSink } from "./frame-decoder.ts";

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
  /** Worker's side: makes the end of a stream that the front opens. {@link Channel.onOpen} follows. */
  accept(peer: Peer): Channel;
  /** Front's side: the worker takes no more exchanges on this link. */
  onGoaway(): void;
  /** The last stream was closed by both sides. */
  onLastStream(): void;
  /** The link is gone, after all its channels were told. Not called after {@link LinkSession.end}. */
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
export class LinkSession implements FrameSink, ChannelLink {
  readonly batch = new FrameBatch();
  readonly grantBytes: number;
  /** Only DATA waits, in the channels; everything else is small and goes on. */
  congested = false;
  flushes = 0;

  readonly #front: boolean;
  readonly #wire: LinkWire;
  readonly #owner: LinkOwner;
  readonly #hello: Hello;
  readonly #decoder = new FrameDecoder(this);
  /** By stream number. Dense, since only numbers up to the next unused one may be opened; 0 stays empty. */
  readonly #channels: (Channel | undefined)[] = [undefined];
  readonly #freeIds: number[] = [];
  readonly #awaitingWrite: { readonly channel: Channel; readonly batch: number }[] = [];
  #blocked: Channel[] = [];
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

  /** All channels whose stream is not yet closed by both sides. */
  *channels(): Generator<Channel> {
    for (const channel of this.#channels) if (channel !== undefined) yield channel;
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
    while (waiting.length > 0 && waiting[0]!.batch < this.#writtenBatches) waiting.shift()!.channel.onWritten();
  }

  drained(): void {
    if (!this.congested) return;
    this.congested = false;
    const blocked = this.#blocked;
    this.#blocked = [];
    // Those that find the link congested again queue up anew, behind nobody who waited as long.
    for (const channel of blocked) channel.resumeSending();
  }

  /** The connection is gone. */
  lost(cause?: Error): void {
    this.fail(
      new LinkError("LB_LINK_LOST", "The link broke: most likely the process at its other end died.", { cause }),
    );
  }

  // What this side asks for

  /** Front's side: gives the channel a number and opens its stream. False: the worker allows no more of them. */
  attach(channel: Channel, peer: Peer): boolean {
    const hello = this.#peerHello;
    if (this.#over || hello === undefined || this.#streams >= hello.maxStreams) return false;
    const id = this.#freeIds.pop() ?? this.#channels.length;
    this.batch.open(id, peer);
    this.appended();
    this.#register(id, channel, hello);
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

  // What channels need

  appended(): void {
    // However large the batch: the marks of its responses come at the end of the turn, and one that comes later than its
    // response makes the front open another stream (bench/link.ts, 16 KB: 10 % of the worker's cost). Windows bound it.
    if (this.#turnAwaited) return;
    this.#turnAwaited = true;
    this.#wire.awaitTurn();
  }

  block(channel: Channel): void {
    this.#blocked.push(channel);
  }

  awaitWritten(channel: Channel, batch: number): void {
    if (batch < this.#writtenBatches) channel.onWritten();
    else this.#awaitingWrite.push({ channel, batch });
  }

  // What the decoder reads

  onHello(hello: Hello): void {
    if (this.#peerHello !== undefined) throw violation("greeted twice");
    if (hello.windowBytes < 1 || hello.windowBytes > MAX_CREDIT_BYTES) throw violation("offered an impossible window");
    this.#peerHello = hello;
    this.#owner.onReady();
  }

  onOpen(id: number, peer: Peer): void {
    if (this.#front) throw violation("opened a stream, which only the front may");
    if (this.#peerHello === undefined) throw violation("opened a stream before it greeted");
    if (id > this.#channels.length || id > this.#hello.maxStreams || this.#channels[id] !== undefined) {
      throw violation(`opened stream ${id}, which is not free`);
    }
    this.#register(id, this.#owner.accept(peer), this.#peerHello);
  }

  onData(id: number, flags: number, buffer: Buffer, start: number, end: number): boolean {
    const channel = this.#channel(id);
    if (channel.phase !== "open") return true;
    if (channel.finReceived) throw violation(`sent bytes on stream ${id} after its end`);
    if (!channel.receive(end - start)) throw violation(`sent more on stream ${id} than its window allows`);
    if (flags !== 0 && !this.#front) throw violation("marked the end of a response, which only the worker may");
    return channel.onBytes(buffer, start, end, flags !== 0);
  }

  onResponseEnd(id: number): void {
    if (!this.#front) throw violation("marked the end of a response, which only the worker may");
    const channel = this.#channel(id);
    if (channel.phase === "open") channel.onResponseEnd();
  }

  onFin(id: number, flags: number): void {
    const channel = this.#channel(id);
    if (channel.phase !== "open") return;
    if (channel.finReceived) throw violation(`ended stream ${id} twice`);
    channel.finReceived = true;
    channel.onFin(flags === FLAG_UNSEEN);
  }

  onClose(id: number, flags: number): void {
    const channel = this.#channel(id);
    const answered = channel.phase === "closing";
    this.#channels[id] = undefined;
    this.#streams--;
    if (this.#front) this.#freeIds.push(id);
    if (!answered) {
      this.batch.close(id, 0);
      this.appended();
    }
    channel.phase = "closed";
    if (!answered) channel.onPeerClose(flags === FLAG_UNSEEN);
    if (this.#streams === 0) this.#owner.onLastStream();
  }

  onWindow(id: number, bytes: number): void {
    const channel = this.#channel(id);
    if (channel.phase !== "open") return;
    channel.credit += bytes;
    if (bytes === 0 || channel.credit > MAX_CREDIT_BYTES) throw violation(`granted ${bytes} bytes on stream ${id}`);
    if (!channel.drained) channel.resumeSending();
  }

  onGoaway(): void {
    if (!this.#front || this.#peerHello === undefined) throw violation("said goodbye out of turn");
    this.#owner.onGoaway();
  }

  #channel(id: number): Channel {
    const channel = this.#channels[id];
    if (channel === undefined) throw violation(`sent a frame for stream ${id}, which is not open`);
    return channel;
  }

  #register(id: number, channel: Channel, peerHello: Hello): void {
    channel.id = id;
    channel.phase = "open";
    channel.credit = peerHello.windowBytes;
    channel.allowance = this.#hello.windowBytes;
    this.#channels[id] = channel;
    this.#streams++;
    channel.onOpen();
  }

  #flush(): void {
    if (this.#over || this.batch.bytes === 0) return;
    this.flushes++;
    if (!this.#wire.write(this.batch.take())) this.congested = true;
  }

  #finish(error: LinkError): void {
    this.#over = true;
    this.#decoder.stop();
    const channels = [...this.channels()];
    this.#channels.length = 1;
    this.#streams = 0;
    for (const channel of channels) {
      channel.phase = "closed";
      channel.onLost(error);
    }
  }
}

function violation(what: string): LinkError {
  return new LinkError("LB_LINK_PROTOCOL", `The peer ${what}; the link is closed.`);
}
