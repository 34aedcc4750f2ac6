import type { OutputLine } from "../model/output-line.ts";

/** Lines kept, and characters in them. */
const maxLines = 2_000;
const maxCharacters = 1_048_576;

/** What instances wrote last; the oldest lines make room. */
export class OutputHistory {
  #lines: OutputLine[] = [];
  /** Where the oldest line is: what is before it is dropped from time to time, not line by line. */
  #first = 0;
  #characters = 0;

  add(line: OutputLine): void {
    this.#lines.push(line);
    this.#characters += line.text.length;
    while (this.#lines.length - this.#first > maxLines || this.#characters > maxCharacters) {
      this.#characters -= this.#lines[this.#first]!.text.length;
      this.#first += 1;
    }
    if (this.#first > maxLines) {
      this.#lines = this.#lines.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The last `count` lines of those that are wanted, oldest first. */
  last(count: number, isWanted: (line: OutputLine) => boolean = () => true): readonly OutputLine[] {
    return count === 0 ? [] : this.#lines.slice(this.#first).filter(isWanted).slice(-count);
  }
}
