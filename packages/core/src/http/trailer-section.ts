import type { HttpLimits } from "../options/limit-options.ts";
import {
  connectionField,
  contentLengthField,
  expectField,
  hopByHopField,
  hostField,
  otherField,
  proxyConnectionField,
  teField,
  trailerField,
  transferEncodingField,
  upgradeField,
} from "./field-kind.ts";
import { FieldScanner } from "./field-scanner.ts";
import { FieldSection, lineStride } from "./field-section.ts";
import { latin1 } from "./octets.ts";
import type { MessageFault } from "./rejection.ts";

/**
 * Fields that mean something only before the body: RFC 9110 §6.5.1 lets nobody merge them into the header afterwards,
 * but some recipient will.
 */
const headerOnly = new Set(
  (
    "age authorization cache-control content-encoding content-range content-type cookie date expires if-match " +
    "if-modified-since if-none-match if-range if-unmodified-since location max-forwards origin pragma range referer " +
    "retry-after set-cookie vary www-authenticate sec-websocket-accept sec-websocket-key"
  ).split(" "),
);

/** Reads one trailer section. Trailers are rare and small: this is the one part of the layer that copies and allocates. */
export class TrailerSection {
  readonly #maxBytes: number;
  readonly #scanner: FieldScanner;
  #received = Buffer.alloc(0);
  /** The lines that may go on, with the blank line, once `read` answered `"complete"`. */
  forwarded = "";

  constructor(limits: HttpLimits) {
    this.#maxBytes = limits.maxTrailerBytes;
    this.#scanner = new FieldScanner(limits.maxHeaders);
  }

  /** Octets of the section so far; all of it, with the blank line, once `read` answered `"complete"`. */
  get byteLength(): number {
    return this.#scanner.checked;
  }

  read(buffer: Buffer, start: number, end: number): MessageFault | "complete" | "incomplete" {
    const room = this.#maxBytes - this.#received.length;
    this.#received = Buffer.concat([this.#received, buffer.subarray(start, Math.min(end, start + room))]);
    const result = this.#scanner.scan(this.#received, 0, this.#received.length);
    if (result === "incomplete" && this.#received.length === this.#maxBytes) return "trailer-too-large";
    return result === "complete" ? this.#select() : result;
  }

  #select(): MessageFault | "complete" {
    const section = new FieldSection(latin1(this.#received, 0, this.byteLength - 2), this.#scanner.lines);
    const { text, lines } = section;
    for (let index = 0; index < lines.length; index += lineStride) {
      switch (lines[index + 2]) {
        case hostField:
        case contentLengthField:
        case transferEncodingField:
        case connectionField:
        case teField:
        case trailerField:
        case expectField:
        case upgradeField:
        case hopByHopField:
        case proxyConnectionField:
          return "trailer-field";
        case otherField: {
          const name = text.substring(lines[index]!, lines[index + 1]!).toLowerCase();
          if (!headerOnly.has(name)) this.forwarded += text.substring(lines[index]!, section.lineEnd(index));
        }
      }
    }
    this.forwarded += "\r\n";
    return "complete";
  }
}
