import { staticCount, staticFields } from "./static-table.ts";

/** The first index of each name. */
const nameIndex = new Map<string, number>();
for (let index = staticCount; index > 0; index--) nameIndex.set(staticFields[2 * (index - 1)]!, index);
/** Indices of the statuses that have one. */
const statusIndex = new Map<number, number>();
for (let index = 8; index <= 14; index++) statusIndex.set(Number(staticFields[2 * index - 1]), index);

/**
 * Writes header blocks that use no dynamic table and no Huffman code, as HAProxy does: a block is the same for all connections
 * then, and is made once for responses with the same head. One object serves one block after the other.
 */
export class HpackEncoder {
  #bytes = Buffer.allocUnsafe(1_024);
  #length = 0;

  status(status: number): this {
    const index = statusIndex.get(status);
    if (index === undefined) return this.field(":status", `${status}`);
    this.#reserve(1);
    this.#bytes[this.#length++] = 0x80 | index;
    return this;
  }

  /** `name` in lower case; both latin1. */
  field(name: string, value: string): this {
    // Numbers have six octets at most.
    this.#reserve(name.length + value.length + 18);
    const index = nameIndex.get(name);
    // Without indexing (RFC 7541 §6.2.2).
    if (index === undefined) {
      this.#bytes[this.#length++] = 0;
      this.#string(name);
    } else this.#number(index, 0x0f);
    this.#string(value);
    return this;
  }

  /** A copy of what was written; the next block begins. */
  take(): Buffer {
    const block = Buffer.from(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return block;
  }

  #string(text: string): void {
    this.#number(text.length, 0x7f);
    this.#length += this.#bytes.write(text, this.#length, "latin1");
  }

  #number(number: number, prefix: number): void {
    if (number < prefix) {
      this.#bytes[this.#length++] = number;
      return;
    }
    this.#bytes[this.#length++] = prefix;
    let rest = number - prefix;
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[this.#length++] = 0x80 | (rest & 0x7f);
    this.#bytes[this.#length++] = rest;
  }

  #reserve(bytes: number): void {
    if (this.#bytes.length - this.#length >= bytes) return;
    const larger = Buffer.allocUnsafe(2 * (this.#length + bytes));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
