import { fieldKind } from "./field-kind.ts";
import { lineStride } from "./field-section.ts";
import { COLON, CR, HT, LF, SP, tokenFold, valueOctet } from "./octets.ts";
import type { MessageFault } from "./rejection.ts";

/** Where a scan stopped; numbers in the order in which a line is read. */
const atLine = 0;
const inName = 1;
const inValue = 2;
const atLineFeed = 3;
const atBlankLineFeed = 4;

/**
 * Checks header lines up to the blank line, octet by octet as they arrive. It never goes back: a head
 * that comes in one-byte packets costs no more than one that comes at once, and the first wrong octet is reported as
 * soon as it is there. Written for the machine: one table load per octet, positions instead of objects, and a phase
 * that is tested once per line and not once per octet.
 */
export class FieldScanner {
  /** {@link FieldSection.lines}, positions counted from `origin`; a new array after each `reset`. */
  lines: number[] = [];
  readonly #maxHeaders: number;
  #phase = atLine;
  #lineStart = 0;
  #nameEnd = 0;
  #kind = 0;
  /** Octets already checked, counted from `origin`. */
  #checked = 0;

  constructor(maxHeaders: number) {
    this.#maxHeaders = maxHeaders;
  }

  reset(): void {
    this.lines = [];
    this.#phase = atLine;
    this.#checked = 0;
  }

  /** Octets of the section so far; all of it, with the blank line, once `scan` answered `"complete"`. */
  get checked(): number {
    return this.#checked;
  }

  /** Goes on to `end`. `origin` is where the section begins; what lies there must be the same in each call. */
  scan(bytes: Uint8Array, origin: number, end: number): MessageFault | "complete" | "incomplete" {
    const lines = this.lines;
    const maxNumbers = this.#maxHeaders * lineStride;
    let phase = this.#phase;
    let lineStart = origin + this.#lineStart;
    let nameEnd = origin + this.#nameEnd;
    let kind = this.#kind;
    let at = origin + this.#checked;
    const lastFour = end - 3;
    while (at < end) {
      if (phase === atLine) {
        const octet = bytes[at]!;
        if (octet === CR) {
          phase = atBlankLineFeed;
          at++;
          continue;
        }
        if (octet === SP || octet === HT) return lines.length === 0 ? "leading-space" : "obs-fold";
        if (lines.length >= maxNumbers) return octet === LF ? "bare-lf" : "too-many-headers";
        lineStart = at;
        phase = inName;
      }
      if (phase === inName) {
        while (at < end && tokenFold[bytes[at]!] !== 0) at++;
        if (at === end) break;
        if (bytes[at] !== COLON) return nameFault(bytes[at]!, at === lineStart);
        if (at === lineStart) return "empty-name";
        nameEnd = at++;
        kind = fieldKind(bytes, lineStart, nameEnd);
        phase = inValue;
      }
      if (phase === inValue) {
        // Four octets a turn, for one branch: most of a head is values. What is left is looked at one by one.
        while (
          at < lastFour &&
          (valueOctet[bytes[at]!]! &
            valueOctet[bytes[at + 1]!]! &
            valueOctet[bytes[at + 2]!]! &
            valueOctet[bytes[at + 3]!]!) ===
            1
        ) {
          at += 4;
        }
        while (at < end && valueOctet[bytes[at]!] === 1) at++;
        if (at === end) break;
        if (bytes[at] !== CR) return bytes[at] === LF ? "bare-lf" : "control-octet";
        at++;
        phase = atLineFeed;
        if (at === end) break;
      }
      if (bytes[at] !== LF) return "bare-cr";
      at++;
      if (phase === atBlankLineFeed) {
        this.#checked = at - origin;
        return "complete";
      }
      lines.push(lineStart - origin, nameEnd - origin, kind);
      phase = atLine;
    }
    this.#phase = phase;
    this.#lineStart = lineStart - origin;
    this.#nameEnd = nameEnd - origin;
    this.#kind = kind;
    this.#checked = at - origin;
    return "incomplete";
  }
}

/** Why `octet` cannot follow the part of a name read so far. */
function nameFault(octet: number, first: boolean): MessageFault {
  if (octet === LF && first) return "bare-lf";
  if (octet === CR || octet === LF) return "no-colon";
  if (octet === SP || octet === HT) return "space-before-colon";
  return octet < SP || octet === 0x7f ? "control-octet" : "name-octet";
}
