import { defaultFrameBytes } from "./protocol.ts";

/** Frames that a block may come in, besides those that it takes. */
const spareFrames = 16;

/** Puts a header block together of which the rest comes in CONTINUATION (RFC 9113 §6.10). */
export class BlockAssembly {
  /** The stream whose block is not complete; 0: none. */
  stream = 0;
  endStream = false;
  readonly #maxBytes: number;
  #bytes: Buffer | undefined;
  #length = 0;
  #frames = 0;

  /** `maxBytes`: of a whole block, encoded. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  begin(stream: number, endStream: boolean): void {
    this.stream = stream;
    this.endStream = endStream;
    this.#length = 0;
    this.#frames = 0;
  }

  /** False: that is more than a block may be. */
  add(buffer: Buffer, start: number, end: number): boolean {
    const length = this.#length + end - start;
    this.#frames++;
    if (length > this.#maxBytes || this.#frames > spareFrames + this.#maxBytes / defaultFrameBytes) return false;
    if (this.#bytes === undefined || this.#bytes.length < length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#maxBytes, Math.max(4_096, 2 * length)));
      this.#bytes?.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    buffer.copy(this.#bytes, this.#length, start, end);
    this.#length = length;
    return true;
  }

  /** The whole block, from 0 on; there is none any more. */
  take(): Buffer {
    const bytes = this.#bytes?.subarray(0, this.#length) ?? Buffer.alloc(0);
    this.stream = 0;
    this.#bytes = undefined;
    return bytes;
  }
}
