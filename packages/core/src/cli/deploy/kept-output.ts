/** What is kept of a step's output: its end, where the reason of a failure stands. */
const maxBytes = 65_536;
/** What has no line break within so much is cut there. */
const maxLine = 8_192;

/** Cuts what a process writes into lines, and keeps the last of them. */
export class KeptOutput {
  readonly #told: (line: string) => void;
  #lines: string[] = [];
  #bytes = 0;
  #partial = "";
  #dropped = 0;

  constructor(told: (line: string) => void) {
    this.#told = told;
  }

  write(text: string): void {
    const parts = (this.#partial + text).split("\n");
    this.#partial = parts.pop()!;
    for (const part of parts) this.#line(part);
    while (this.#partial.length > maxLine) {
      this.#line(this.#partial.slice(0, maxLine));
      this.#partial = this.#partial.slice(maxLine);
    }
  }

  end(): void {
    if (this.#partial !== "") this.#line(this.#partial);
    this.#partial = "";
  }

  /** The last lines; the first says how many there were before them. */
  get lines(): readonly string[] {
    return this.#dropped === 0 ? this.#lines : [`… ${this.#dropped} lines before`, ...this.#lines];
  }

  #line(text: string): void {
    // A progress bar writes over its line: what it showed last.
    const line = text.split("\r").findLast((part) => part !== "") ?? "";
    this.#told(line);
    this.#lines.push(line);
    this.#bytes += line.length + 1;
    while (this.#bytes > maxBytes) {
      this.#bytes -= this.#lines.shift()!.length + 1;
      this.#dropped += 1;
    }
  }
}
