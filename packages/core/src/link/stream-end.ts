import type { LinkError } from "./errors.ts";
import { MAX_PAYLOAD_BYTES } from "./frame.ts";
import { COPY_MAX_BYTES, type FrameBatch, type LEND_BYTES } from "./frame-batch.ts";

/**
 * - `new`: not yet announced to the peer; what is sent waits.
 * - `open`: both sides may send, each until its FIN.
 * - `closing`: this side has sent CLOSE and drops what still comes until the peer's.
 * - `closed`: both have; the number is free for another stream.
 */
export type StreamPhase = "new" | "open" | "closing" | "closed";

/** What a stream needs of the link that carries it. */
export interface StreamLink {
  readonly batch: FrameBatch;
  /** The wire takes no more DATA for now. */
  readonly congested: boolean;
  /** Number of the batch being filled. */
  readonly flushes: number;
  /** Bytes to have been consumed before a WINDOW frame is sent. */
  readonly grantBytes: number;
  /** Something was added to the batch. */
  appended(): void;
  /** Calls {@link StreamEnd.resumeSending} when the link is no longer congested. */
  block(stream: StreamEnd): void;
  /** Calls {@link StreamEnd.onWritten} when that batch was written; at once if it was. */
  awaitWritten(stream: StreamEnd, batch: number): void;
}

/**
 * What became of bytes given to a stream. `copied`: the caller may reuse the memory. `lent`: it may once the batch
 * {@link StreamEnd.lentBatch} was written. `queued`: no more should be sent before {@link StreamEnd.onDrained}; then as `lent`.
 */
export type Sent = "copied" | "lent" | "queued";

/**
 * One side's end of a stream: its credit, its allowance and what waits for credit. The two ends of the link extend it
 * with what their side does with the bytes.
 *
 * Flow control. Each side starts with the credit of the peer's HELLO; DATA uses it up, WINDOW adds to it. The receiver
 * grants what its user has consumed once that is half a window. So a short exchange costs no WINDOW frame; what the
 * receiver holds is never more than one window; and a sender without credit is always granted more, because then a whole
 * window was received and at most half of it may stay consumed without a grant.
 */
export abstract class StreamEnd {
  readonly link: StreamLink;
  id = 0;
  phase: StreamPhase = "new";
  finSent = false;
  finReceived = false;
  /** Bytes this side may still send. */
  credit = 0;
  /** Bytes the peer may still send. */
  allowance = 0;
  /** The first batch that carries DATA of the current exchange; -1: none does. */
  firstBatch = -1;
  /** The last batch to which memory was lent. */
  lentBatch = -1;
  /** Bytes put into batches. */
  bytesSent = 0;

  #unsettled = 0;
  #queue: Buffer[] = [];
  /** Bytes of the first queued buffer that were sent. */
  #queueOffset = 0;
  #finQueued = false;
  /** A response end that waits behind queued bytes. */
  #responseEndQueued = false;
  /** In the session's list of those that wait for the link itself. */
  #blocked = false;
  #lastData = 0;
  #lastDataEpoch = -1;

  constructor(link: StreamLink) {
    this.link = link;
  }

  /** The stream has its number; from here on frames go both ways. */
  abstract onOpen(): void;
  /**
   * Bytes of the stream, in order. Only while the stream is open. `last`: the worker's mark is right behind them, and
   * `onResponseEnd` is not called for it. True: they are needed no more, and their memory may be used again.
   */
  abstract onBytes(buffer: Buffer, start: number, end: number, last: boolean): boolean;
  /** The worker's mark, when it comes alone. */
  abstract onResponseEnd(): void;
  /** The peer sends no more bytes. */
  abstract onFin(unseen: boolean): void;
  /** The peer is done with the stream, in both directions. */
  abstract onPeerClose(unseen: boolean): void;
  /** The link is gone, and with it the stream. */
  abstract onLost(error: LinkError): void;
  /** Nothing is queued any more. */
  abstract onDrained(): void;
  /** The batch named to {@link StreamLink.awaitWritten} was written. */
  abstract onWritten(): void;

  /** Nothing waits for credit or link. */
  get drained(): boolean {
    return this.#queue.length === 0;
  }

  /** Bytes that wait for credit or link. */
  get queuedBytes(): number {
    return this.#queue.reduce((sum, bytes) => sum + bytes.length, -this.#queueOffset);
  }

  /** Sends bytes, or queues them for when credit and link allow. Dropped when the stream cannot send any more. */
  send(bytes: Buffer): Sent {
    const length = bytes.length;
    if (length === 0) return "copied";
    if (this.phase === "open" && this.#queue.length === 0 && length <= MAX_PAYLOAD_BYTES && length <= this.credit) {
      if (!this.link.congested) return this.#append(bytes, 0, length) ? "lent" : "copied";
    } else if (this.phase !== "open" && this.phase !== "new") {
      return "copied";
    }
    this.#queue.push(bytes);
    const lent = this.#pump();
    if (this.#queue.length > 0) return "queued";
    return lent ? "lent" : "copied";
  }

  /** {@link send} for text: never lent, since a string cannot change. Hot path. */
  sendText(text: string, encoding: "latin1" | "utf8"): Sent {
    if (text.length === 0 || !this.takes(encoding === "latin1" ? text.length : text.length * 3)) {
      return this.send(Buffer.from(text, encoding)) === "queued" ? "queued" : "copied";
    }
    this.#appended(this.link.batch.text(this.id, text, encoding));
    return "copied";
  }

  /** Text of up to `bytes`, or a buffer of that length below {@link LEND_BYTES}, would be copied at once. */
  takes(bytes: number): boolean {
    return (
      bytes <= this.credit &&
      bytes <= COPY_MAX_BYTES &&
      this.phase === "open" &&
      this.#queue.length === 0 &&
      !this.link.congested
    );
  }

  /** Half-closes, after what is queued. */
  sendFin(flags: number): void {
    if (this.finSent || this.#finQueued) return;
    if (this.phase === "new" || this.#queue.length > 0) {
      this.#finQueued = true;
    } else if (this.phase === "open") {
      this.finSent = true;
      this.link.batch.fin(this.id, flags);
      this.link.appended();
    }
  }

  /** Marks the end of the response, after what is queued: a flag on its last frame if that has not left yet. */
  sendResponseEnd(): void {
    if (this.phase !== "open") return;
    if (this.#queue.length > 0) {
      this.#responseEndQueued = true;
      return;
    }
    const { batch } = this.link;
    if (this.#lastDataEpoch === batch.epoch) {
      batch.endResponseAt(this.#lastData);
    } else {
      batch.responseEnd(this.id);
      this.link.appended();
    }
  }

  /** Gives the stream up; what is queued is dropped. Idempotent. */
  close(flags: number): void {
    this.#queue.length = 0;
    if (this.phase === "new") {
      this.phase = "closed";
    } else if (this.phase === "open") {
      this.phase = "closing";
      this.link.batch.close(this.id, flags);
      this.link.appended();
    }
  }

  /** Counts received bytes against the allowance. False: the peer sent more than it was granted. */
  receive(bytes: number): boolean {
    this.allowance -= bytes;
    this.#unsettled += bytes;
    return this.allowance >= 0;
  }

  /** Grants what was consumed, that is received less `unreadBytes`, once it is worth a frame. */
  settle(unreadBytes: number): void {
    const consumed = this.#unsettled - unreadBytes;
    if (consumed < this.link.grantBytes || this.phase !== "open" || this.finReceived) return;
    this.#unsettled = unreadBytes;
    this.allowance += consumed;
    this.link.batch.window(this.id, consumed);
    this.link.appended();
  }

  /** Credit or link came free: goes on with the queue and tells when it is empty. */
  resumeSending(): void {
    this.#blocked = false;
    this.#pump();
    if (this.#queue.length > 0) return;
    if (this.#responseEndQueued) {
      this.#responseEndQueued = false;
      this.sendResponseEnd();
    }
    if (this.#finQueued) {
      this.#finQueued = false;
      this.sendFin(0);
    }
    this.onDrained();
  }

  /** Sends what is queued as far as credit and link allow. True: some of it was lent. */
  #pump(): boolean {
    let lent = false;
    while (this.#queue.length > 0) {
      if (this.phase !== "open" || this.credit === 0) return lent;
      if (this.link.congested) {
        if (!this.#blocked) {
          this.#blocked = true;
          this.link.block(this);
        }
        return lent;
      }
      const head = this.#queue[0]!;
      const start = this.#queueOffset;
      const end = Math.min(head.length, start + Math.min(this.credit, MAX_PAYLOAD_BYTES));
      this.#queueOffset = end;
      if (end === head.length) {
        this.#queue.shift();
        this.#queueOffset = 0;
      }
      lent = this.#append(head, start, end) || lent;
    }
    return lent;
  }

  #append(bytes: Buffer, start: number, end: number): boolean {
    const { link } = this;
    const lent = link.batch.bytesOf(this.id, bytes, start, end);
    if (lent) this.lentBatch = link.flushes;
    this.#appended(end - start);
    return lent;
  }

  #appended(bytes: number): void {
    const { link } = this;
    this.credit -= bytes;
    this.bytesSent += bytes;
    if (this.firstBatch < 0) this.firstBatch = link.flushes;
    this.#lastData = link.batch.lastData;
    this.#lastDataEpoch = link.batch.epoch;
    link.appended();
  }
}
