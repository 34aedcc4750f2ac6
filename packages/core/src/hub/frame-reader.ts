import { HubError } from "./errors.ts";
import { lengthBytes } from "./frame.ts";
import { maxFrameBytes } from "./limits.ts";

/** Called with one whole frame: `bytes` from `start`, its length field, to `end`. Valid as long as it is held. */
export type FrameSink = (bytes: Buffer, start: number, end: number) => void;

/** Cuts what a socket brings into frames. A frame that came in one piece is not copied. */
export class FrameReader {
  readonly #sink: FrameSink;
  /** The beginning of a frame whose end has not come. */
  #parts: Buffer[] = [];
  #held = 0;
  /** Length of that frame; 0: not even that is known. */
  #wanted = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** @throws HubError `LB_HUB_PROTOCOL` for a frame beyond the bound; nothing may be read after it. */
  read(chunk: Buffer): void {
    let offset = this.#held === 0 ? 0 : this.#complete(chunk);
    if (offset < 0) return;
    while (chunk.length - offset >= lengthBytes) {
      const end = offset + frameLength(chunk, offset);
      if (end > chunk.length) break;
      this.#sink(chunk, offset, end);
      offset = end;
    }
    const left = chunk.length - offset;
    if (left > 0) this.#hold(chunk.subarray(offset), left >= lengthBytes ? frameLength(chunk, offset) : 0);
  }

  /** Completes the frame that is held. Returns how much of the chunk that took, or -1 when all of it was not enough. */
  #complete(chunk: Buffer): number {
    if (this.#wanted === 0) {
      if (this.#held + chunk.length < lengthBytes) return this.#hold(chunk, 0);
      this.#wanted = frameLength(Buffer.concat([...this.#parts, chunk.subarray(0, lengthBytes)]), 0);
    }
    const missing = this.#wanted - this.#held;
    if (chunk.length < missing) return this.#hold(chunk, this.#wanted);
    const frame = Buffer.concat([...this.#parts, chunk.subarray(0, missing)], this.#wanted);
    this.#parts = [];
    this.#held = 0;
    this.#wanted = 0;
    this.#sink(frame, 0, frame.length);
    return missing;
  }

  #hold(part: Buffer, wanted: number): -1 {
    this.#parts.push(part);
    this.#held += part.length;
    this.#wanted = wanted;
    return -1;
  }
}

/** The length field included. */
function frameLength(bytes: Buffer, offset: number): number {
  const length = bytes.readUInt32BE(offset);
  if (length >= 1 && length <= maxFrameBytes) return length + lengthBytes;
  throw new HubError("LB_HUB_PROTOCOL", `A frame of ${length} bytes arrived, where 1 to ${maxFrameBytes} are allowed.`);
}
