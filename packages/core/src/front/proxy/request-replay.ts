/** So much of each body is known when its request is over with, whatever may be repeated. */
export const beginningBytes = 16_384;

/**
 * The body bytes of one request, kept so that they can be sent once more. Beyond the limit they are let go, and the
 * request can no longer be repeated; bytes that no endpoint got yet are kept whatever the limit, and the reader of the
 * client's socket is paused meanwhile, which bounds them to what one read delivers.
 */
export class RequestReplay {
  #maxBytes = 0;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #complete = true;
  /** Of a body that is not held any more. */
  #beginning: Buffer | undefined;

  /** Every byte received so far is held. */
  get complete(): boolean {
    return this.#complete;
  }

  get pieces(): readonly Buffer[] {
    return this.#pieces;
  }

  /** At least {@link beginningBytes} of what was received, or all of it. */
  get beginning(): readonly Buffer[] {
    return this.#beginning === undefined ? this.#pieces : [this.#beginning];
  }

  /** More of it would not change its {@link beginning}. */
  get begun(): boolean {
    return this.#bytes >= beginningBytes;
  }

  /** Another request's, of which so many are kept. */
  reset(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    if (this.#pieces.length > 0) this.#pieces = [];
    this.#bytes = 0;
    this.#complete = true;
    this.#beginning = undefined;
  }

  /** Takes bytes that were not sent yet. */
  keep(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  /** Takes bytes that are being sent. */
  keepWithinLimit(piece: Buffer): void {
    if (!this.#complete) {
      this.#begin(piece);
      return;
    }
    this.keep(piece);
    this.sent();
  }

  /** Everything held was sent at least once. */
  sent(): void {
    if (this.#bytes <= this.#maxBytes) return;
    // A copy, so that it does not hold all that was read with it.
    this.#beginning = Buffer.concat(this.#pieces, Math.min(this.#bytes, beginningBytes));
    this.#pieces = [];
    this.#complete = false;
  }

  #begin(piece: Buffer): void {
    if (this.begun) return;
    this.#bytes += piece.length;
    this.#beginning = Buffer.concat([this.#beginning!, piece], Math.min(this.#bytes, beginningBytes));
  }
}
