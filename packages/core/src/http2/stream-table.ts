import type { Http2Stream, StreamUser } from "./stream.ts";

/** Streams that were reset by us are remembered as long as something may be on its way for all that may be open, and for some more. */
const spareResets = 128;

/** The streams of one connection: those that are open, those whose users do not know yet that they are not, and what is left to know. */
export class StreamTable {
  /** The highest number that the client has used. */
  last = 0;
  /** The highest of a stream that was not refused: what GOAWAY says, which must never say more than it did (RFC 9113 §6.8). */
  taken = 0;
  readonly #most: number;
  readonly #open = new Map<number, Http2Stream>();
  #closing: Http2Stream[] = [];
  /** In the order in which they were reset. */
  #resets: Set<number> | undefined;

  /** `most`: that may be open. */
  constructor(most: number) {
    this.#most = most;
  }

  get(id: number): Http2Stream | undefined {
    return this.#open.get(id);
  }

  /** Of those that are open. */
  get users(): readonly StreamUser[] {
    return [...this.#open.values()].map(({ user }) => user);
  }

  /** Those that have ended in this turn are no streams any more, and cost as much as some. */
  get full(): boolean {
    return this.#open.size >= this.#most || this.#closing.length >= this.#most;
  }

  add(stream: Http2Stream): void {
    this.#open.set(stream.id, stream);
    this.taken = stream.id;
  }

  /** It has closed by what the client has sent; its user is told now. */
  remove(stream: Http2Stream): void {
    this.#open.delete(stream.id);
    stream.closedByClient();
  }

  /** It has closed by what we have sent; its user is told by {@link tellClosed}. */
  closing(stream: Http2Stream): void {
    this.#open.delete(stream.id);
    this.#closing.push(stream);
  }

  tellClosed(): void {
    while (this.#closing.length > 0) {
      const closing = this.#closing;
      this.#closing = [];
      for (const stream of closing) stream.user.streamClosed();
    }
  }

  /** The connection has gone, with all of them. */
  lose(): void {
    this.tellClosed();
    const streams = [...this.#open.values()];
    this.#open.clear();
    for (const stream of streams) stream.closedByClient();
  }

  /** What a client sends on this one before it hears of the reset means nothing. */
  wasReset(id: number): boolean {
    return this.#resets?.has(id) === true;
  }

  noteReset(id: number): void {
    this.#resets ??= new Set();
    this.#resets.add(id);
    if (this.#resets.size <= this.#most + spareResets) return;
    for (const oldest of this.#resets) {
      this.#resets.delete(oldest);
      return;
    }
  }

  /** The client has changed what its windows are at first. False: one would be larger than one can be. */
  windowsChanged(difference: number): boolean {
    for (const stream of this.#open.values()) if (!stream.windowChanged(difference)) return false;
    return true;
  }
}
