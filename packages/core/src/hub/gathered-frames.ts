import { HubError } from "./errors.ts";
import { FrameOffset, FrameType, lengthBytes, writeCount } from "./hub-frame.ts";
import { maxFrameBytes } from "./limits.ts";

/** What a message carries: bytes, or text that travels as UTF-8. */
export type Payload = Uint8Array | string;

const slabBytes = 65_536;
/** Payloads from this size on travel in their own memory; a copy of less costs less than another piece to write. */
const loneBytes = 16_384;

/** The frames of one turn, gathered in as few pieces of memory as can be. */
export class GatheredFrames {
  #pieces: Buffer[] = [];
  #bytes = 0;
  #slab = Buffer.alloc(0);
  /** The part of the slab that is written and not yet a piece. */
  #from = 0;
  #to = 0;

  /** Of all frames in it. */
  get bytes(): number {
    return this.#bytes;
  }

  message(channel: number, from: number, payload: Payload): void {
    const { messagePayload } = FrameOffset;
    this.#head(FrameType.message, messagePayload, payload, channel, from);
    this.#payload(payload);
  }

  direct(channel: number, from: number, to: number, payload: Payload): void {
    const { directPayload } = FrameOffset;
    const start = this.#head(FrameType.direct, directPayload, payload, channel, from);
    writeCount(this.#slab, to, start + FrameOffset.to);
    this.#payload(payload);
  }

  /** Its sequence is the primary's to fill in. */
  retained(channel: number, from: number, count: number, payload: Payload): void {
    const { retainedPayload } = FrameOffset;
    const start = this.#head(FrameType.retained, retainedPayload, payload, channel, from);
    writeCount(this.#slab, count, start + FrameOffset.count);
    writeCount(this.#slab, 0, start + FrameOffset.sequence);
    this.#payload(payload);
  }

  acknowledged(channel: number, entries: number, count: number, sequence: number): void {
    const start = this.#begin(FrameType.acknowledged, FrameOffset.lastSequence + 6, 0);
    writeCount(this.#slab, channel, start + FrameOffset.channel);
    this.#slab.writeUInt32BE(entries, start + FrameOffset.entries);
    writeCount(this.#slab, count, start + FrameOffset.lastCount);
    writeCount(this.#slab, sequence, start + FrameOffset.lastSequence);
  }

  control(value: unknown): void {
    const text = JSON.stringify(value);
    this.#begin(FrameType.control, FrameOffset.body, byteLength(text));
    this.#payload(text);
  }

  request(id: number, operation: number, numbers: readonly number[], payload: Payload): void {
    this.#numbered(FrameType.request, id, operation, numbers, payload);
  }

  reply(id: number, status: number, numbers: readonly number[], payload: Payload): void {
    this.#numbered(FrameType.reply, id, status, numbers, payload);
  }

  /** Frames as they have been read. */
  whole(frames: Buffer): void {
    this.#cut();
    this.#pieces.push(frames);
    this.#bytes += frames.length;
  }

  /** Everything since the last time, to be written in this order. */
  take(): Buffer[] {
    this.#cut();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    return pieces;
  }

  /** `id`, a byte, then numbers as doubles, then bytes. */
  #numbered(type: number, id: number, byte: number, numbers: readonly number[], payload: Payload): void {
    const head = FrameOffset.arguments + 8 * numbers.length;
    const start = this.#begin(type, head, byteLength(payload));
    this.#slab.writeUInt32BE(id, start + FrameOffset.requestId);
    this.#slab[start + FrameOffset.operation] = byte;
    let at = start + FrameOffset.arguments;
    for (const number of numbers) at = this.#slab.writeDoubleBE(number, at);
    this.#payload(payload);
  }

  #head(type: number, headBytes: number, payload: Payload, channel: number, from: number): number {
    const start = this.#begin(type, headBytes, byteLength(payload));
    writeCount(this.#slab, channel, start + FrameOffset.channel);
    writeCount(this.#slab, from, start + FrameOffset.from);
    return start;
  }

  /** Reserves the head, and the payload's place behind it unless that travels by itself. Returns where it starts. */
  #begin(type: number, headBytes: number, payloadBytes: number): number {
    const frameBytes = headBytes + payloadBytes;
    checkFrame(headBytes, payloadBytes);
    const needed = headBytes + (payloadBytes < loneBytes ? payloadBytes : 0);
    if (this.#slab.length - this.#to < needed) {
      this.#cut();
      this.#slab = Buffer.allocUnsafeSlow(slabBytes);
      this.#from = 0;
      this.#to = 0;
    }
    const start = this.#to;
    this.#slab.writeUInt32BE(frameBytes - lengthBytes, start);
    this.#slab[start + FrameOffset.type] = type;
    this.#to += headBytes;
    this.#bytes += frameBytes;
    return start;
  }

  #payload(payload: Payload): void {
    const text = typeof payload === "string";
    const bytes = byteLength(payload);
    if (bytes >= loneBytes) {
      this.#cut();
      this.#pieces.push(text ? Buffer.from(payload) : asBuffer(payload));
      return;
    }
    if (text) this.#slab.write(payload, this.#to);
    else this.#slab.set(payload, this.#to);
    this.#to += bytes;
  }

  #cut(): void {
    if (this.#to === this.#from) return;
    this.#pieces.push(this.#slab.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}

/** @throws HubError `LB_HUB_FRAME` */
export function checkFrame(headBytes: number, payloadBytes: number): void {
  if (headBytes + payloadBytes - lengthBytes <= maxFrameBytes) return;
  throw new HubError(
    "LB_HUB_FRAME",
    `A message of ${payloadBytes} bytes is larger than the ${maxFrameBytes} that travel at once: send it in parts.`,
  );
}

export function byteLength(payload: Payload): number {
  return typeof payload === "string" ? Buffer.byteLength(payload) : payload.byteLength;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
