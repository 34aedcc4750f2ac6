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

  /** Every byte received so far is held. */
  get complete(): boolean {
    return this.#complete;
  }

  get pieces(): readonly Buffer[] {
    return this.#pieces;
  }

  /** Another request's, of which so many are kept. */
  reset(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    if (this.#pieces.length > 0) this.#pieces = [];
    this.#bytes = 0;
    this.#complete = true;
  }

  /** Takes bytes that were not sent yet. */
  keep(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  /** Takes bytes that are being sent. */
  keepWithinLimit(piece: Buffer): void {
    if (!this.#complete) return;
    this.keep(piece);
    this.sent();
  }

  /** Everything held was sent at least once. */
  sent(): void {
    if (this.#bytes <= this.#maxBytes) return;
    this.#pieces = [];
    this.#complete = false;
  }
}
