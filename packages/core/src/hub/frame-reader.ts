import { HubError } from "./errors.ts";
import { lengthBytes } from "./hub-frame.ts";
import { maxFrameBytes } from "./limits.ts";

/** Called with one whole frame: `bytes` from `start`, its length field, to `end`. Valid as long as it is held. */
export type FrameReceiver = (bytes: Buffer, start: number, end: number) => void;

/** Parts of this size are what large frames come in, and are left as they are. */
const wholePartBytes = 16_384;

/** Cuts what a socket brings into frames. A frame that came in one piece is not copied. */
export class FrameReader {
  /** The largest frame that may come. */
  maxBytes: number;
  readonly #sink: FrameReceiver;
  /** The beginning of a frame whose end has not come. */
  #parts: Buffer[] = [];
  #held = 0;
  /** Length of that frame; 0: not even that is known. */
  #wanted = 0;

  constructor(sink: FrameReceiver, maxBytes = maxFrameBytes) {
    this.#sink = sink;
    this.maxBytes = maxBytes;
  }

  /** Pieces of memory in which the beginning of a frame is held. */
  get parts(): number {
    return this.#parts.length;
  }

  /** @throws HubError `LB_HUB_PROTOCOL` for a frame beyond the bound; nothing may be read after it. */
  read(chunk: Buffer): void {
    let offset = this.#held === 0 ? 0 : this.#complete(chunk);
    if (offset < 0) return;
    while (chunk.length - offset >= lengthBytes) {
      const end = offset + this.#frameLength(chunk, offset);
      if (end > chunk.length) break;
      this.#sink(chunk, offset, end);
      offset = end;
    }
    const left = chunk.length - offset;
    if (left > 0) this.#hold(chunk.subarray(offset), left >= lengthBytes ? this.#frameLength(chunk, offset) : 0);
  }

  /** Completes the frame that is held. Returns how much of the chunk that took, or -1 when all of it was not enough. */
  #complete(chunk: Buffer): number {
    if (this.#wanted === 0) {
      if (this.#held + chunk.length < lengthBytes) return this.#hold(chunk, 0);
      this.#wanted = this.#frameLength(Buffer.concat([...this.#parts, chunk.subarray(0, lengthBytes)]), 0);
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

  /** Small parts are put together as they come, so that a frame in single bytes takes no more room than its bytes. */
  #hold(part: Buffer, wanted: number): -1 {
    const parts = this.#parts;
    let last = part;
    for (let before = parts.at(-1); before !== undefined; before = parts.at(-1)) {
      // Each byte is moved as often as its part doubles.
      if (last.length >= wholePartBytes || before.length > 2 * last.length) break;
      parts.pop();
      last = Buffer.concat([before, last]);
    }
    parts.push(last);
    this.#held += part.length;
    this.#wanted = wanted;
    return -1;
  }

  /** The length field included. */
  #frameLength(bytes: Buffer, offset: number): number {
    const length = bytes.readUInt32BE(offset);
    if (length >= 1 && length <= this.maxBytes) return length + lengthBytes;
    const allowed = `1 to ${this.maxBytes}`;
    throw new HubError("LB_HUB_PROTOCOL", `A frame of ${length} bytes arrived, where ${allowed} are allowed.`);
  }
}
