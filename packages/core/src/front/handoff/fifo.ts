/** Taken entries that are kept at most, so that taking costs nothing but now and then a copy of what is left. */
const maxTaken = 1_024;

/** A queue of any length, from whose front is taken as cheaply as is put to its end; an array moves all the others. */
export class Fifo<Entry> {
  #entries: Entry[] = [];
  /** Entries before this one were taken. */
  #head = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
  }

  shift(): Entry | undefined {
    if (this.#head === this.#entries.length) return undefined;
    const entry = this.#entries[this.#head++];
    if (this.#head > maxTaken && this.#head * 2 > this.#entries.length) this.#compact();
    return entry;
  }

  /** Leaves those in the queue of which `stays` is true, in their order. It must not change the queue. */
  retain(stays: (entry: Entry) => boolean): void {
    this.#compact();
    this.#entries = this.#entries.filter(stays);
  }

  /** All of them, which leave the queue. */
  takeAll(): Entry[] {
    this.#compact();
    return this.#entries.splice(0);
  }

  #compact(): void {
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}
