import type { HeaderField } from "./header-field.ts";

/** The fields that a peer has put aside to name them by number (RFC 7541 §2.3.2); the last one that came has the lowest. */
export class DynamicTable {
  /** Changes with everything that makes an index mean something else. */
  generation = 0;
  #maxBytes: number;
  #bytes = 0;
  #count = 0;
  /** A ring: its length is a power of two, and the newest field stands at `#newest`. */
  #ring: (HeaderField | undefined)[] = [];
  #newest = -1;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Counted from 0, the newest. */
  at(index: number): HeaderField | undefined {
    if (index >= this.#count) return undefined;
    return this.#ring[(this.#newest - index) & (this.#ring.length - 1)];
  }

  /** One that is larger than the table may be empties it (RFC 7541 §4.4). */
  add(field: HeaderField): void {
    this.generation++;
    const { size } = field;
    this.#evict(this.#maxBytes - size);
    if (size > this.#maxBytes) return;
    if (this.#count === this.#ring.length) this.#grow();
    this.#newest = (this.#newest + 1) & (this.#ring.length - 1);
    this.#ring[this.#newest] = field;
    this.#count++;
    this.#bytes += size;
  }

  resize(maxBytes: number): void {
    this.generation++;
    this.#maxBytes = maxBytes;
    this.#evict(maxBytes);
  }

  #evict(toBytes: number): void {
    while (this.#bytes > toBytes && this.#count > 0) {
      const oldest = (this.#newest - this.#count + 1) & (this.#ring.length - 1);
      this.#bytes -= this.#ring[oldest]!.size;
      this.#ring[oldest] = undefined;
      this.#count--;
    }
  }

  /** Twice as long; as each field counts for 32 bytes at least, a table of 4,096 has 128 at most. */
  #grow(): void {
    const fields = Array.from({ length: this.#count }, (_, at) => this.at(this.#count - 1 - at));
    this.#ring = [...fields, ...Array.from({ length: Math.max(8, this.#count) }, () => undefined)];
    this.#newest = fields.length - 1;
  }
}
