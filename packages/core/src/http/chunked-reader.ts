import type { HttpLimits } from "../options/limit-options.ts";
import type { BodyReaderOptions, BodySink } from "./body-sink.ts";
import { type ExtensionState, nextExtensionState } from "./chunk-extension.ts";
import { CR, LF } from "./octets.ts";
import type { MessageFault } from "./rejection.ts";
import { TrailerSection } from "./trailer-section.ts";

const maxSizeDigits = 16;
const semicolon = 0x3b;
const crlf = Buffer.from("\r\n", "latin1");

/** The value of a hexadecimal digit by its octet; 16 for all others. */
const hexValue = new Uint8Array(256).fill(16);
for (let digit = 0; digit < 16; digit++) {
  hexValue[digit.toString(16).charCodeAt(0)] = digit;
  hexValue[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

/** What the next octet belongs to. */
const inFirstDigit = 0;
const inSize = 1;
const inExtension = 2;
const atSizeLineFeed = 3;
const inChunk = 4;
const atChunkReturn = 5;
const atChunkLineFeed = 6;
const atTrailer = 7;
const inTrailer = 8;
const atLastLineFeed = 9;
const finished = 10;

/**
 * Reads a body in chunked coding (RFC 9112 §7.1) without its leniencies. What is passed on is passed in as few ranges of
 * the given buffer as can be: a body that is canonical already goes through as one range per buffer.
 */
export class ChunkedReader {
  /** Payload bytes so far. */
  received = 0;
  fault: MessageFault | undefined = undefined;
  /** Given with each body. */
  #limits!: HttpLimits;
  #maxBodyBytes = 0;
  #payloadOnly = false;
  #phase = inFirstDigit;
  #size = 0;
  #sizeDigits = 0;
  /** Of the chunk being read: bytes to come. */
  #remaining = 0;
  #extension: ExtensionState = "name-start";
  #extensionBytes = 0;
  #trailer: TrailerSection | undefined = undefined;

  reset(options: BodyReaderOptions): void {
    this.received = 0;
    this.fault = undefined;
    this.#limits = options.limits;
    this.#maxBodyBytes = options.role === "request" ? options.limits.maxBodyBytes : Number.POSITIVE_INFINITY;
    this.#payloadOnly = options.emit === "payload";
    this.#phase = inFirstDigit;
    this.#extensionBytes = 0;
    this.#trailer = undefined;
  }

  get complete(): boolean {
    return this.#phase === finished;
  }

  /** The lines of the trailers that may go on, once the body is complete. */
  get trailers(): string {
    return this.complete && this.#trailer !== undefined ? this.#trailer.forwarded.slice(0, -2) : "";
  }

  /** See {@link BodyReader.read}. Of a buffer in which a fault is found, what precedes it may stay unsent. */
  read(buffer: Buffer, start: number, end: number, sink: BodySink): number {
    if (this.fault !== undefined) return start;
    const framed = !this.#payloadOnly;
    let at = start;
    /** Where the range begins that is to be passed on next. */
    let run = start;
    while (at < end) {
      switch (this.#phase) {
        case inFirstDigit:
          this.#size = 0;
          this.#sizeDigits = 0;
          if (hexValue[buffer[at]!] === 16) return this.#fail("chunk-size", at);
          this.#phase = inSize;
          break;
        case inSize: {
          const digit = hexValue[buffer[at]!]!;
          if (digit < 16) {
            this.#size = this.#size * 16 + digit;
            if (++this.#sizeDigits > maxSizeDigits || this.#size > Number.MAX_SAFE_INTEGER) {
              return this.#fail("chunk-size-overflow", at);
            }
            at++;
          } else if (buffer[at] === CR) {
            at++;
            this.#phase = atSizeLineFeed;
          } else if (buffer[at] === semicolon) {
            if (framed && at > run) sink.bodyBytes(buffer, run, at);
            if (++this.#extensionBytes > this.#limits.maxChunkExtensionBytes) {
              return this.#fail("chunk-extension-too-large", at);
            }
            at++;
            this.#extension = "name-start";
            this.#phase = inExtension;
          } else {
            return this.#fail(buffer[at] === LF ? "bare-lf" : "chunk-size", at);
          }
          break;
        }
        case inExtension: {
          const next = nextExtensionState(this.#extension, buffer[at]!);
          if (next === undefined) return this.#fail("chunk-extension", at);
          if (next === "end") {
            run = at;
            this.#phase = atSizeLineFeed;
          } else {
            this.#extension = next;
            if (++this.#extensionBytes > this.#limits.maxChunkExtensionBytes) {
              return this.#fail("chunk-extension-too-large", at);
            }
          }
          at++;
          break;
        }
        case atSizeLineFeed:
          if (buffer[at] !== LF) return this.#fail("bare-cr", at);
          at++;
          this.#remaining = this.#size;
          if (this.received + this.#size > this.#maxBodyBytes) return this.#fail("body-too-large", at);
          this.#phase = this.#size === 0 ? atTrailer : inChunk;
          break;
        case inChunk: {
          const taken = Math.min(this.#remaining, end - at);
          if (!framed) sink.bodyBytes(buffer, at, at + taken);
          at += taken;
          this.received += taken;
          this.#remaining -= taken;
          if (this.#remaining === 0) this.#phase = atChunkReturn;
          break;
        }
        case atChunkReturn:
          if (buffer[at] !== CR) return this.#fail("chunk-end", at);
          at++;
          this.#phase = atChunkLineFeed;
          break;
        case atChunkLineFeed:
          if (buffer[at] !== LF) return this.#fail("chunk-end", at);
          at++;
          this.#phase = inFirstDigit;
          break;
        case atTrailer:
          if (buffer[at] === CR) {
            at++;
            this.#phase = atLastLineFeed;
          } else {
            if (framed && at > run) sink.bodyBytes(buffer, run, at);
            this.#trailer = new TrailerSection(this.#limits);
            this.#phase = inTrailer;
          }
          break;
        case atLastLineFeed:
          if (buffer[at] !== LF) return this.#fail("bare-cr", at);
          at++;
          this.#phase = finished;
          if (framed) sink.bodyBytes(buffer, run, at);
          return at;
        case inTrailer:
          return this.#readTrailer(buffer, at, end, sink);
        case finished:
          return at;
      }
    }
    if (framed && this.#phase !== inExtension && at > run) sink.bodyBytes(buffer, run, at);
    return at;
  }

  #readTrailer(buffer: Buffer, start: number, end: number, sink: BodySink): number {
    const trailer = this.#trailer!;
    const before = trailer.byteLength;
    const result = trailer.read(buffer, start, end);
    if (result === "incomplete") return end;
    if (result !== "complete") return this.#fail(result, start);
    this.#phase = finished;
    if (!this.#payloadOnly) {
      const lines = trailer.forwarded === "\r\n" ? crlf : Buffer.from(trailer.forwarded, "latin1");
      sink.bodyBytes(lines, 0, lines.length);
    }
    return start + trailer.byteLength - before;
  }

  #fail(fault: MessageFault, at: number): number {
    this.fault = fault;
    return at;
  }
}
