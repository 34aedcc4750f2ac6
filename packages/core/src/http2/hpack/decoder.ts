import { latin1 } from "../../http/octets.ts";
import { DynamicTable } from "./dynamic-table.ts";
import { HeaderField } from "./header-field.ts";
import { decodeHuffman } from "./huffman.ts";
import { staticCount, staticFields } from "./static-table.ts";

/** What one header block said. Never changes: blocks with the same octets may share one. */
export interface HeaderList {
  readonly fields: readonly HeaderField[];
  /** It had more than it may, and `fields` are not all. */
  readonly tooLarge: boolean;
}

export interface HpackLimits {
  /** What the table may hold; SETTINGS_HEADER_TABLE_SIZE. */
  readonly maxTableBytes: number;
  /** Of one list, as RFC 9113 §6.5.2 counts them. */
  readonly maxListBytes: number;
  readonly maxFields: number;
}

/** Of a block that is remembered. */
const maxRememberedBytes = 2_048;
/** Beyond it a number can be nothing that we need one for. */
const maxNumber = 2 ** 27;
const failed = -1;

/** Of strings in Huffman's code; grows to what the longest block makes it, and is the same for all connections. */
let scratch = Buffer.allocUnsafe(4_096);

const staticEntries: readonly HeaderField[] = Array.from(
  { length: staticCount },
  (_, at) => new HeaderField(staticFields[2 * at]!, staticFields[2 * at + 1]!),
);

/**
 * Reads the header blocks of one peer (RFC 7541). A peer that says the same again, as clients do from one request to the next, is
 * given the same list again: the octets of the last block mean the same as long as the table has not changed.
 */
export class HpackDecoder {
  readonly #limits: HpackLimits;
  readonly #table: DynamicTable;
  #block: Buffer = scratch;
  #at = 0;
  #end = 0;
  #last: HeaderList | undefined;
  #lastBlock = "";
  #lastGeneration = 0;

  constructor(limits: HpackLimits) {
    this.#limits = limits;
    this.#table = new DynamicTable(limits.maxTableBytes);
  }

  /** A whole block. Undefined: it is none, and what the peer's table holds cannot be known any more. */
  decode(block: Buffer, start: number, end: number): HeaderList | undefined {
    const { generation } = this.#table;
    const length = end - start;
    if (this.#last !== undefined && this.#lastGeneration === generation && this.#lastBlock.length === length) {
      if (latin1(block, start, end) === this.#lastBlock) return this.#last;
    }
    this.#block = block;
    this.#at = start;
    this.#end = end;
    const list = this.#resize() ? this.#read() : undefined;
    // Nobody is to be kept from being collected.
    this.#block = scratch;
    if (list !== undefined && this.#table.generation === generation && length <= maxRememberedBytes) {
      this.#last = list;
      this.#lastBlock = latin1(block, start, end);
      this.#lastGeneration = generation;
    }
    return list;
  }

  /** What stands before the first field (RFC 7541 §4.2). */
  #resize(): boolean {
    while (this.#at < this.#end && (this.#block[this.#at]! & 0xe0) === 0x20) {
      const size = this.#number(0x1f);
      if (size === failed || size > this.#limits.maxTableBytes) return false;
      this.#table.resize(size);
    }
    return true;
  }

  #read(): HeaderList | undefined {
    const fields: HeaderField[] = [];
    const { maxListBytes, maxFields } = this.#limits;
    let bytes = 0;
    while (this.#at < this.#end) {
      const field = this.#field(this.#block[this.#at]!);
      if (field === undefined) return undefined;
      bytes += field.size;
      // What does not fit is read all the same: it may have a place in the table.
      if (bytes <= maxListBytes && fields.length < maxFields) fields.push(field);
      else bytes = Number.POSITIVE_INFINITY;
    }
    return { fields, tooLarge: bytes === Number.POSITIVE_INFINITY };
  }

  /** RFC 7541 §6; a change of the table's size cannot stand here. */
  #field(first: number): HeaderField | undefined {
    if (first >= 0x80) return this.#indexed(this.#number(0x7f));
    if (first >= 0x40) {
      const field = this.#literal(0x3f);
      if (field !== undefined) this.#table.add(field);
      return field;
    }
    return first >= 0x20 ? undefined : this.#literal(0x0f);
  }

  #indexed(index: number): HeaderField | undefined {
    if (index <= 0) return undefined;
    return index <= staticCount ? staticEntries[index - 1] : this.#table.at(index - staticCount - 1);
  }

  #literal(prefix: number): HeaderField | undefined {
    const index = this.#number(prefix);
    if (index === failed) return undefined;
    const name = index === 0 ? this.#string() : this.#indexed(index)?.name;
    const value = name === undefined ? undefined : this.#string();
    return value === undefined ? undefined : new HeaderField(name!, value);
  }

  /** RFC 7541 §5.1. `prefix`: the bits of the first octet that are its. */
  #number(prefix: number): number {
    if (this.#at >= this.#end) return failed;
    let number = this.#block[this.#at++]! & prefix;
    if (number < prefix) return number;
    for (let weight = 1; this.#at < this.#end; weight *= 128) {
      const octet = this.#block[this.#at++]!;
      number += (octet & 0x7f) * weight;
      // Also a bound on octets that say nothing: four are what such a number may have.
      if (number > maxNumber || weight > maxNumber) return failed;
      if (octet < 0x80) return number;
    }
    return failed;
  }

  /** RFC 7541 §5.2; latin1. */
  #string(): string | undefined {
    if (this.#at >= this.#end) return undefined;
    const huffman = this.#block[this.#at]! >= 0x80;
    const length = this.#number(0x7f);
    const start = this.#at;
    if (length === failed || length > this.#end - start) return undefined;
    this.#at = start + length;
    if (!huffman) return latin1(this.#block, start, this.#at);
    const most = Math.ceil((length * 8) / 5);
    if (scratch.length < most) scratch = Buffer.allocUnsafe(most);
    const decoded = decodeHuffman(this.#block, start, this.#at, scratch);
    return decoded === -1 ? undefined : latin1(scratch, 0, decoded);
  }
}
