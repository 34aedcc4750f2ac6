/** What a peer may send before it is given more (RFC 9113 §6.9), of one stream or of all. */
export class ReceiveWindow {
  readonly #bytes: number;
  #left: number;
  #read = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
    this.#left = bytes;
  }

  /** The peer sends so much. False: more than it may. */
  take(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left >= 0;
  }

  /** So much was read. Answers what the window is to be opened by now: at least half of it, or 0. */
  read(bytes: number): number {
    const read = this.#read + bytes;
    if (read * 2 < this.#bytes) {
      this.#read = read;
      return 0;
    }
    this.#read = 0;
    this.#left += read;
    return read;
  }
}
