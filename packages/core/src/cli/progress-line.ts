import type { WriteStream } from "node:tty";

const width = 20;

/** One line of a terminal that says how far something is, written over again and again; nothing where there is no terminal. */
export class ProgressLine {
  readonly #stream: WriteStream;
  #shown = false;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  /** `share`: from 0 to 1. */
  show(text: string, share: number): void {
    if (!this.#stream.isTTY) return;
    const done = Math.round(Math.min(1, Math.max(0, share)) * width);
    const line = `${"█".repeat(done)}${"░".repeat(width - done)} ${text}`;
    this.#stream.write(`\r\u001b[2K${line.slice(0, this.#stream.columns - 1)}`);
    this.#shown = true;
  }

  clear(): void {
    if (!this.#shown) return;
    this.#stream.write("\r\u001b[2K");
    this.#shown = false;
  }
}
