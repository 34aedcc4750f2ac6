import { frameHeadBytes, frameType } from "./protocol.ts";

/** Takes frames as they come. */
export interface FrameSink {
  /** A frame has begun; false: it is not to be read any further, nor is what follows. `length`: of its payload. */
  frameBegun(type: number, flags: number, stream: number, length: number): boolean;
  /** A piece of the payload of the DATA frame that was begun; as many as it came in. */
  dataPiece(buffer: Buffer, start: number, end: number): void;
  /** All of the payload of the DATA frame has come. */
  dataEnded(): void;
  /** The whole payload of the frame of another type that was begun. */
  payload(buffer: Buffer, start: number, end: number): void;
}

/**
 * Finds the frames in what a connection brings (RFC 9113 §4.1). Payloads are ranges of the chunks that they came in; those that came
 * in several are put together, but for DATA, which goes on piece by piece.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  /** The beginning of a frame's head that came in several pieces. */
  #head: Buffer | undefined;
  #headLength = 0;
  /** Of the frame that has begun: octets of its payload that are to come. -1: none has. */
  #left = -1;
  #isData = false;
  /** The beginning of a payload; as long as that is to be in the end, or half of it at least. */
  #partial: Buffer | undefined;
  #partialLength = 0;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Reads no more. */
  stop(): void {
    this.#stopped = true;
    this.#partial = undefined;
  }

  receive(chunk: Buffer, start = 0): void {
    let at = start;
    const end = chunk.length;
    while (!this.#stopped) {
      if (this.#left < 0) {
        if (this.#headLength === 0 && end - at >= frameHeadBytes) {
          this.#begin(chunk, at);
          at += frameHeadBytes;
        } else if (at < end) {
          const taken = Math.min(frameHeadBytes - this.#headLength, end - at);
          this.#head ??= Buffer.allocUnsafe(frameHeadBytes);
          chunk.copy(this.#head, this.#headLength, at, at + taken);
          this.#headLength += taken;
          at += taken;
          if (this.#headLength < frameHeadBytes) return;
          this.#headLength = 0;
          this.#begin(this.#head, 0);
        } else return;
      } else if (this.#isData) {
        const taken = Math.min(this.#left, end - at);
        this.#left -= taken;
        if (taken > 0) this.#sink.dataPiece(chunk, at, at + taken);
        at += taken;
        if (this.#left > 0) return;
        this.#left = -1;
        if (!this.#stopped) this.#sink.dataEnded();
      } else if (this.#partial === undefined && end - at >= this.#left) {
        const to = at + this.#left;
        this.#left = -1;
        this.#sink.payload(chunk, at, to);
        at = to;
      } else {
        const taken = Math.min(this.#left, end - at);
        this.#keep(chunk, at, at + taken);
        at += taken;
        if (this.#left > 0) return;
        this.#left = -1;
        const whole = this.#partial!;
        this.#partial = undefined;
        this.#sink.payload(whole, 0, this.#partialLength);
      }
    }
  }

  #begin(bytes: Buffer, at: number): void {
    const type = bytes[at + 3]!;
    const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    const stream = ((bytes[at + 5]! & 0x7f) << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!;
    this.#left = length;
    this.#isData = type === frameType.data;
    if (!this.#sink.frameBegun(type, bytes[at + 4]!, stream, length)) this.stop();
  }

  /** Twice as much room each time that it ends: who announces much and sends little is not to be given more. */
  #keep(chunk: Buffer, start: number, end: number): void {
    const before = this.#partial === undefined ? 0 : this.#partialLength;
    const length = before + end - start;
    this.#left -= end - start;
    if (this.#partial === undefined || this.#partial.length < length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(length + this.#left, Math.max(256, 2 * length)));
      this.#partial?.copy(larger, 0, 0, before);
      this.#partial = larger;
    }
    chunk.copy(this.#partial, before, start, end);
    this.#partialLength = length;
  }
}
