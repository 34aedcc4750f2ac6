import type { LinkError } from "../../src/link/errors.ts";
import type { Hello, StreamClient } from "../../src/link/frame.ts";
import { type LinkOwner, LinkSession, type LinkWire } from "../../src/link/link-session.ts";
import { type Sent, StreamEnd } from "../../src/link/stream-end.ts";

/** One direction of a link without sockets: nothing moves unless told to. */
export class MemoryWire implements LinkWire {
  session!: LinkSession;
  /** Who reads what is written here. */
  reader: MemoryWire | undefined;
  state: "open" | "ended" | "destroyed" = "open";
  /** Lengths of the batches that are not yet read entirely. */
  readonly #batches: number[] = [];
  #pending = Buffer.alloc(0);
  #turnDue = false;
  #congested = false;
  readonly #capacity: number;

  constructor(capacity = Number.POSITIVE_INFINITY) {
    this.#capacity = capacity;
  }

  get pendingBytes(): number {
    return this.#pending.length;
  }

  awaitTurn(): void {
    this.#turnDue = true;
  }

  write(buffers: Buffer[]): boolean {
    const batch = Buffer.concat(buffers);
    this.#batches.push(batch.length);
    this.#pending = Buffer.concat([this.#pending, batch]);
    this.#congested = this.#pending.length >= this.#capacity;
    return !this.#congested;
  }

  end(): void {
    this.state = "ended";
  }

  destroy(): void {
    this.state = "destroyed";
  }

  /** Everything written so far, taken off the wire. */
  takeAll(): Buffer {
    this.endTurn();
    const bytes = this.#pending;
    this.#pending = Buffer.alloc(0);
    return bytes;
  }

  /** True: there was something to send. */
  endTurn(): boolean {
    if (!this.#turnDue) return false;
    this.#turnDue = false;
    this.session.endTurn();
    return true;
  }

  /** Lets the reader have up to `bytes`, as one read. True: there were some. */
  deliver(bytes: number): boolean {
    const read = Buffer.from(this.#pending.subarray(0, bytes));
    if (read.length === 0) return false;
    this.#pending = this.#pending.subarray(read.length);
    this.reader?.session.feed(read);
    let done = read.length;
    while (done > 0) {
      const batch = this.#batches[0]!;
      this.#batches[0] = batch - Math.min(batch, done);
      done -= Math.min(batch, done);
      if (this.#batches[0] === 0) {
        this.#batches.shift();
        this.session.written();
      }
    }
    if (this.#congested && this.#pending.length === 0) {
      this.#congested = false;
      this.session.drained();
    }
    return true;
  }
}

/** An end of a stream that writes down what happens to it, and consumes only when told to. */
export class RecordingEnd extends StreamEnd {
  readonly #reads: Buffer[] = [];
  readonly events: string[] = [];
  unread = 0;
  /** The most that was ever received and not yet consumed. */
  mostUnread = 0;
  /** False while a `send` waits for credit. */
  ready = true;

  override onOpen(): void {
    this.events.push("open");
    this.resumeSending();
  }

  override onBytes(buffer: Buffer, start: number, end: number, last: boolean): boolean {
    this.#reads.push(buffer.subarray(start, end));
    this.unread += end - start;
    this.mostUnread = Math.max(this.mostUnread, this.unread);
    if (last) this.events.push("response end");
    return false;
  }

  override onResponseEnd(): void {
    this.events.push("response end");
  }

  override onFin(unseen: boolean): void {
    this.events.push(unseen ? "fin, unseen" : "fin");
  }

  override onPeerClose(unseen: boolean): void {
    this.events.push(unseen ? "close, unseen" : "close");
  }

  override onLost(error: LinkError): void {
    this.events.push(error.code);
  }

  override onDrained(): void {
    this.ready = true;
  }

  override onWritten(): void {
    this.events.push("written");
  }

  give(bytes: Buffer): Sent {
    const sent = this.send(bytes);
    if (sent === "queued") this.ready = false;
    return sent;
  }

  /** All bytes so far. */
  get received(): Buffer {
    return Buffer.concat(this.#reads);
  }

  /** True: there was something to consume. */
  consume(bytes: number): boolean {
    const consumed = Math.min(bytes, this.unread);
    this.unread -= consumed;
    this.settle(this.unread);
    return consumed > 0;
  }
}

export class RecordingOwner implements LinkOwner {
  session!: LinkSession;
  readonly events: string[] = [];
  readonly accepted: RecordingEnd[] = [];
  readonly clients: StreamClient[] = [];
  down: LinkError | undefined;

  accept(client: StreamClient): StreamEnd {
    const stream = new RecordingEnd(this.session);
    this.clients.push(client);
    this.accepted.push(stream);
    return stream;
  }

  onReady(): void {
    this.events.push("ready");
  }

  onGoaway(): void {
    this.events.push("goaway");
  }

  onLastStream(): void {
    this.events.push("last stream");
  }

  onDown(error: LinkError): void {
    this.down = error;
  }
}

export interface MemoryEnd {
  readonly session: LinkSession;
  readonly owner: RecordingOwner;
  readonly wire: MemoryWire;
}

export function memoryEnd(side: "front" | "worker", hello: Hello, capacity?: number): MemoryEnd {
  const owner = new RecordingOwner();
  const wire = new MemoryWire(capacity);
  const session = new LinkSession({ side, wire, owner, hello });
  wire.session = session;
  owner.session = session;
  return { session, owner, wire };
}

/** A front's end and a worker's end, joined. */
export function memoryLink(hello: { readonly front: Hello; readonly worker: Hello }, capacity?: number) {
  const front = memoryEnd("front", hello.front, capacity);
  const worker = memoryEnd("worker", hello.worker, capacity);
  front.wire.reader = worker.wire;
  worker.wire.reader = front.wire;
  /** Moves bytes both ways until nothing is left to move. */
  const settle = (): void => {
    for (let moved = true; moved; ) {
      moved = false;
      for (const { wire } of [front, worker]) {
        if (wire.endTurn()) moved = true;
        if (wire.deliver(Number.POSITIVE_INFINITY)) moved = true;
      }
    }
  };
  return { front, worker, settle };
}
