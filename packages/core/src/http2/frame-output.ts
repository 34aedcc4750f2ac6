import { OutputBuffer } from "./output-buffer.ts";
import { defaultFrameBytes, type ErrorCode, flag, frameHeadBytes, frameType } from "./protocol.ts";

/** Where frames go. */
export interface FrameTarget {
  /** Frames wait: {@link FrameOutput.flush} is to be called when this turn ends. */
  flushDue(): void;
  /** Takes the bytes of `output`, and frees it when they were written. False: no DATA should come until there is room again. */
  write(output: OutputBuffer): boolean;
}

/**
 * Gathers the frames of one turn, of all streams, so that they leave in one write. What is given is copied.
 *
 * A target that takes no more stops DATA alone; all else is bounded by what makes it: a stream has one head at a time, and what is
 * an answer to frames (of SETTINGS, PING) comes with reading, which stops where too much waits.
 */
export class FrameOutput {
  /** The target takes no DATA. */
  blocked = false;
  readonly #target: FrameTarget;
  #output: OutputBuffer | undefined;
  #resizesTable = false;

  constructor(target: FrameTarget) {
    this.#target = target;
  }

  flush(): void {
    const output = this.#output;
    if (output === undefined) return;
    this.#output = undefined;
    this.blocked = !this.#target.write(output);
  }

  /** Drops what was not written. */
  close(): void {
    this.#output?.free();
    this.#output = undefined;
  }

  /** The peer's table has become smaller than it was; the next block has to say that ours has (RFC 7541 §4.2). We have none. */
  tableResized(): void {
    this.#resizesTable = true;
  }

  /** HEADERS, with what of `block` does not fit into them in CONTINUATION. */
  headers(stream: number, block: Buffer, endStream: boolean): void {
    if (this.#resizesTable) {
      this.#resizesTable = false;
      this.headers(stream, Buffer.concat([noTable, block]), endStream);
      return;
    }
    const end = endStream ? flag.endStream : 0;
    let taken = Math.min(block.length, defaultFrameBytes);
    this.#frame(taken, frameType.headers, end | (taken === block.length ? flag.endHeaders : 0), stream);
    this.#copy(block, 0, taken);
    while (taken < block.length) {
      const next = Math.min(block.length, taken + defaultFrameBytes);
      this.#frame(next - taken, frameType.continuation, next === block.length ? flag.endHeaders : 0, stream);
      this.#copy(block, taken, next);
      taken = next;
    }
  }

  /** One frame. */
  data(stream: number, buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.#frame(end - start, frameType.data, endStream ? flag.endStream : 0, stream);
    this.#copy(buffer, start, end);
  }

  rstStream(stream: number, code: ErrorCode): void {
    this.#frame(4, frameType.rstStream, 0, stream);
    this.#uint32(code);
  }

  windowUpdate(stream: number, increment: number): void {
    this.#frame(4, frameType.windowUpdate, 0, stream);
    this.#uint32(increment);
  }

  settings(values: readonly (readonly [id: number, value: number])[]): void {
    this.#frame(values.length * 6, frameType.settings, 0, 0);
    const output = this.#output!;
    for (const [id, value] of values) {
      output.length = output.bytes.writeUInt16BE(id, output.length);
      this.#uint32(value);
    }
  }

  settingsAck(): void {
    this.#frame(0, frameType.settings, flag.ack, 0);
  }

  /** `buffer[start, start + 8)` are its octets. */
  ping(buffer: Buffer, start: number, ack: boolean): void {
    this.#frame(8, frameType.ping, ack ? flag.ack : 0, 0);
    this.#copy(buffer, start, start + 8);
  }

  goaway(lastStream: number, code: ErrorCode): void {
    this.#frame(8, frameType.goaway, 0, 0);
    this.#uint32(lastStream);
    this.#uint32(code);
  }

  /** Makes room for a whole frame, and writes its head. */
  #frame(length: number, type: number, flags: number, stream: number): void {
    const wanted = frameHeadBytes + length;
    if (this.#output !== undefined && this.#output.room < wanted) {
      if (this.#output.large) this.flush();
      else this.#output = OutputBuffer.take(wanted, this.#output);
    }
    if (this.#output === undefined) {
      this.#output = OutputBuffer.take(wanted);
      this.#target.flushDue();
    }
    const { bytes, length: at } = this.#output;
    bytes[at] = length >>> 16;
    bytes[at + 1] = length >>> 8;
    bytes[at + 2] = length;
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    bytes[at + 5] = stream >>> 24;
    bytes[at + 6] = stream >>> 16;
    bytes[at + 7] = stream >>> 8;
    bytes[at + 8] = stream;
    this.#output.length = at + frameHeadBytes;
  }

  #copy(buffer: Buffer, start: number, end: number): void {
    const output = this.#output!;
    buffer.copy(output.bytes, output.length, start, end);
    output.length += end - start;
  }

  #uint32(value: number): void {
    const output = this.#output!;
    output.length = output.bytes.writeUInt32BE(value, output.length);
  }
}

const noTable = Buffer.of(0x20);
