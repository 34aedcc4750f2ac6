import { type ErrorCode, errorCode } from "./protocol.ts";

/** Finds the body in the payload of a DATA frame that comes in pieces (RFC 9113 §6.1). */
export class DataPayload {
  /** Of the piece that was last read: the range that is body, and how many other octets it had. */
  start = 0;
  end = 0;
  other = 0;
  /** Octets of body that are to come; before its length is known, with the padding. */
  #left = 0;
  #padded = false;

  begin(length: number, padded: boolean): void {
    this.#left = length;
    this.#padded = padded;
  }

  /** Answers what is wrong with it. */
  read(buffer: Buffer, from: number, end: number): ErrorCode | undefined {
    let start = from;
    if (this.#padded) {
      this.#padded = false;
      this.#left -= 1 + buffer[start++]!;
      if (this.#left < 0) return errorCode.protocolError;
    }
    this.start = start;
    this.end = Math.min(end, start + this.#left);
    this.#left -= this.end - start;
    this.other = end - from - (this.end - start);
    return undefined;
  }

  /** The frame has ended: what is wrong with it. */
  get fault(): ErrorCode | undefined {
    // Padded, and without the octet that says how much.
    return this.#padded ? errorCode.frameSizeError : undefined;
  }
}
