import {
  CLOSE,
  DATA,
  FIN,
  FLAG_ENCRYPTED,
  FLAG_RESPONSE_END,
  GOAWAY,
  HEADER_BYTES,
  HELLO,
  HELLO_BYTES,
  type Hello,
  MAGIC,
  OPEN,
  PROTOCOL_VERSION,
  RESPONSE_END,
  type StreamClient,
  WINDOW,
  WINDOW_BYTES,
} from "./frame.ts";

const SLAB_BYTES = 65_536;
/** From this size on a payload goes out by reference: one more entry of a `writev` costs less than the copy. */
export const LEND_BYTES = 4_096;
/** The longest that is copied: a latin1 string of this length, a UTF-8 one that may become as long. */
export const COPY_MAX_BYTES = 49_152;

/** Node's own single-encoding writers; `write(…, "latin1")` does the same after more checks (bench: 30 ns more). */
interface DirectWriters {
  latin1Write(text: string, at: number, length: number): number;
  utf8Write(text: string, at: number, length: number): number;
}

/**
 * Collects the frames of one turn for one write. Frames and small payloads are laid out in a slab that is used again
 * once everything taken from it was written; large payloads are lent. Successive small payloads of one stream grow one
 * frame. Hot path: no allocation per frame.
 */
export class FrameBatch {
  /** Changes when the positions of earlier frames lose their meaning: those can no longer be amended. */
  epoch = 0;
  /** Where in this epoch the header of the last DATA frame lies. */
  lastData = 0;

  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** Start of what is not yet in `#vectors`. */
  #from = 0;
  #at = 0;
  #vectors: Buffer[] = [];
  /** Bytes in `#vectors`. */
  #sealedBytes = 0;
  /** Batches taken and not yet written. */
  #inFlight = 0;
  /** The stream whose DATA frame ends at `#at` and may still grow; 0: none. */
  #growingId = 0;

  /** Bytes of all frames in the batch. */
  get bytes(): number {
    return this.#sealedBytes + this.#at - this.#from;
  }

  hello(hello: Hello): void {
    const at = this.#control(HELLO, 0, 0, HELLO_BYTES);
    const slab = this.#slab;
    slab.writeUInt32BE(MAGIC, at);
    slab.writeUInt16BE(PROTOCOL_VERSION, at + 4);
    slab.writeUInt16BE(0, at + 6);
    slab.writeUInt32BE(hello.windowBytes, at + 8);
    slab.writeUInt32BE(hello.maxStreams, at + 12);
  }

  open(id: number, client: StreamClient): void {
    const at = this.#control(OPEN, client.encrypted ? FLAG_ENCRYPTED : 0, id, 2 + client.address.length);
    this.#slab.writeUInt16BE(client.port, at);
    this.#slab.write(client.address, at + 2, "latin1");
  }

  responseEnd(id: number): void {
    this.#control(RESPONSE_END, 0, id, 0);
  }

  fin(id: number, flags: number): void {
    this.#control(FIN, flags, id, 0);
  }

  close(id: number, flags: number): void {
    this.#control(CLOSE, flags, id, 0);
  }

  window(id: number, bytes: number): void {
    const at = this.#control(WINDOW, 0, id, WINDOW_BYTES);
    this.#slab.writeUInt32BE(bytes, at);
  }

  goaway(): void {
    this.#control(GOAWAY, 0, 0, 0);
  }

  /**
   * Adds `bytes[start, end)`, at most one payload, as DATA. True: the memory was lent and may not change until the
   * batch was written.
   */
  bytesOf(id: number, bytes: Buffer, start: number, end: number): boolean {
    const length = end - start;
    if (length < LEND_BYTES) {
      const at = this.#room(id, length);
      bytes.copy(this.#slab, at, start, end);
      this.#grown(length);
      return false;
    }
    this.lastData = this.#reserve(HEADER_BYTES);
    writeHeader(this.#slab, this.lastData, DATA, 0, id, length);
    this.#growingId = 0;
    this.#seal();
    this.#vectors.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
    this.#sealedBytes += length;
    return true;
  }

  /** Adds `text`, at most {@link COPY_MAX_BYTES} when encoded, as DATA. Returns the bytes it took. */
  text(id: number, text: string, encoding: "latin1" | "utf8"): number {
    if (encoding === "latin1") {
      const at = this.#room(id, text.length);
      (this.#slab as unknown as DirectWriters).latin1Write(text, at, text.length);
      this.#grown(text.length);
      return text.length;
    }
    const at = this.#room(id, text.length * 3);
    const length = (this.#slab as unknown as DirectWriters).utf8Write(text, at, text.length * 3);
    this.#grown(length);
    return length;
  }

  /** Sets the response-end flag on a DATA frame of this epoch. */
  endResponseAt(header: number): void {
    this.#slab[header + 1]! |= FLAG_RESPONSE_END;
    // What follows on the stream is not part of the response and needs a frame of its own.
    if (header === this.lastData) this.#growingId = 0;
  }

  /** The batch's memory in order, for one write; {@link written} must follow, in the order of the takes. */
  take(): Buffer[] {
    this.#seal();
    const vectors = this.#vectors;
    this.#vectors = [];
    this.#sealedBytes = 0;
    this.#growingId = 0;
    this.#inFlight++;
    this.epoch++;
    return vectors;
  }

  /** The oldest taken batch was written: its memory may be used again. */
  written(): void {
    this.#inFlight--;
    if (this.#inFlight === 0 && this.bytes === 0) {
      this.#from = 0;
      this.#at = 0;
    }
  }

  /** Position of a control frame's payload. */
  #control(type: number, flags: number, id: number, length: number): number {
    const at = this.#reserve(HEADER_BYTES + length);
    writeHeader(this.#slab, at, type, flags, id, length);
    this.#at += length;
    this.#growingId = 0;
    return at + HEADER_BYTES;
  }

  /** Position for up to `most` bytes of DATA, in the stream's growing frame or in a new one. */
  #room(id: number, most: number): number {
    if (id === this.#growingId && this.#at + most <= SLAB_BYTES) return this.#at;
    this.lastData = this.#reserve(HEADER_BYTES + most);
    writeHeader(this.#slab, this.lastData, DATA, 0, id, 0);
    this.#growingId = id;
    return this.#at;
  }

  /** No slab holds more than one payload may, so a growing frame needs no other bound. */
  #grown(length: number): void {
    this.#at += length;
    writeLength(this.#slab, this.lastData, this.#at - this.lastData - HEADER_BYTES);
  }

  /** Takes a header's room where `bytes` fit. A full slab is left to those who still write from it. */
  #reserve(bytes: number): number {
    if (this.#at + bytes > SLAB_BYTES) {
      this.#seal();
      this.#slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      this.#from = 0;
      this.#at = 0;
      this.epoch++;
      this.#growingId = 0;
    }
    const at = this.#at;
    this.#at += HEADER_BYTES;
    return at;
  }

  #seal(): void {
    if (this.#at === this.#from) return;
    this.#vectors.push(this.#slab.subarray(this.#from, this.#at));
    this.#sealedBytes += this.#at - this.#from;
    this.#from = this.#at;
  }
}

function writeHeader(slab: Buffer, at: number, type: number, flags: number, id: number, length: number): void {
  slab[at] = type;
  slab[at + 1] = flags;
  slab[at + 2] = id >>> 16;
  slab[at + 3] = id >>> 8;
  slab[at + 4] = id;
  writeLength(slab, at, length);
}

function writeLength(slab: Buffer, at: number, length: number): void {
  slab[at + 5] = length >>> 16;
  slab[at + 6] = length >>> 8;
  slab[at + 7] = length;
}
