import { COLON, HT, SP, tokenFold, trimWhitespace } from "./octets.ts";

/** Numbers kept per line in {@link FieldSection.lines}: start of the line, end of its name, {@link fieldKind}. */
export const lineStride = 3;

/**
 * The header lines of one head, found valid. Names and values stay in one string until somebody asks for them: most
 * requests are relayed without anybody asking.
 */
export class FieldSection {
  /** All lines with their CRLFs, without the blank line that ends them; latin1. */
  readonly text: string;
  /** `lineStride` numbers per line, positions counted in `text`. */
  readonly lines: readonly number[];
  #list: readonly string[] | undefined;

  constructor(text: string, lines: readonly number[]) {
    this.text = text;
    this.lines = lines;
  }

  /** Where the line at `index` of `lines` ends: behind its CRLF. */
  lineEnd(index: number): number {
    const next = index + lineStride;
    return next < this.lines.length ? this.lines[next]! : this.text.length;
  }

  /** The value of the line at `index` of `lines`, without white space around it. */
  value(index: number): string {
    return trimWhitespace(this.text, this.lines[index + 1]! + 1, this.lineEnd(index) - 2);
  }

  /**
   * The same for Content-Length and Transfer-Encoding, but that a HTAB behind the value is part of it, and makes it
   * invalid: llhttp does not take it for white space there, and reads another length than we would.
   */
  framingValue(index: number): string {
    const { text } = this;
    let end = this.lineEnd(index) - 2;
    while (text.charCodeAt(end - 1) === SP) end--;
    return text.charCodeAt(end - 1) === HT ? "\t" : trimWhitespace(text, this.lines[index + 1]! + 1, end);
  }

  /** Name, value, name, value …, as received. */
  get list(): readonly string[] {
    if (this.#list !== undefined) return this.#list;
    const list: string[] = [];
    for (let index = 0; index < this.lines.length; index += lineStride) {
      list.push(this.text.substring(this.lines[index]!, this.lines[index + 1]!), this.value(index));
    }
    this.#list = list;
    return list;
  }

  /** The value of the field `lowerName`; several lines are joined with `", "`, those of Cookie with `"; "`. */
  get(lowerName: string): string | undefined {
    let joined: string | undefined;
    for (let index = 0; index < this.lines.length; index += lineStride) {
      if (!this.isNamed(index, lowerName)) continue;
      const value = this.value(index);
      joined = joined === undefined ? value : joined + (lowerName === "cookie" ? "; " : ", ") + value;
    }
    return joined;
  }

  /** Whether the line at `index` of `lines` has the name `lowerName`, whatever its case. */
  isNamed(index: number, lowerName: string): boolean {
    const start = this.lines[index]!;
    const length = lowerName.length;
    if (this.lines[index + 1]! - start !== length) return false;
    let at = 0;
    while (at < length && tokenFold[this.text.charCodeAt(start + at)] === lowerName.charCodeAt(at)) at++;
    return at === length;
  }

  /** The same for whoever takes an underscore for a hyphen, as CGI and its heirs do. */
  isTakenFor(index: number, lowerName: string): boolean {
    const start = this.lines[index]!;
    const length = lowerName.length;
    if (this.lines[index + 1]! - start !== length) return false;
    let at = 0;
    while (at < length && hyphened(this.text.charCodeAt(start + at)) === lowerName.charCodeAt(at)) at++;
    return at === length;
  }

  /** Whether the line at `index` of `lines` gives `value` exactly as we would write it: one space, nothing behind. */
  isCanonical(index: number, value: string): boolean {
    const colon = this.lines[index + 1]!;
    return (
      this.lineEnd(index) - colon === value.length + 4 &&
      this.text.charCodeAt(colon) === COLON &&
      this.text.startsWith(" ", colon + 1) &&
      this.text.startsWith(value, colon + 2)
    );
  }
}

function hyphened(octet: number): number {
  return octet === 0x5f ? 0x2d : tokenFold[octet]!;
}
