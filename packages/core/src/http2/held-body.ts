/**
 * Bytes of a body that its reader does not take yet: at most what the stream's window lets come. They are copied, so that they keep
 * nothing else of what they came with, however small the pieces.
 */
export class HeldBody {
  readonly #maxBytes: number;
  #bytes: Buffer | undefined;
  #length = 0;

  /** `maxBytes`: what may come before it is taken. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  keep(buffer: Buffer, start: number, end: number): void {
    const length = this.#length + end - start;
    if (this.#bytes === undefined || this.#bytes.length < length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#maxBytes, Math.max(1_024, 2 * length)));
      this.#bytes?.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    buffer.copy(this.#bytes, this.#length, start, end);
    this.#length = length;
  }

  /** All of it, which is the caller's then. */
  take(): Buffer | undefined {
    const bytes = this.#bytes?.subarray(0, this.#length);
    this.#bytes = undefined;
    this.#length = 0;
    return bytes;
  }
}
