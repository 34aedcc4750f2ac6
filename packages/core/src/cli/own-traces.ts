import type { OutputLine } from "../model/output-line.ts";

/** What Node shows of a line that threw has this many lines below its place. */
const excerptLines = 3;

/**
 * What of a program's stack is ours: that it was called by us, and that we listen to Node's channels, by which an error of a
 * `require` is thrown on from there. It is none of the program's affair, and is not shown.
 */
export class OwnTraces {
  readonly #own: RegExp;
  /** Lines that belong to a place of ours, by instance. */
  readonly #skip = new Map<number, number>();

  /** `file`: where our own code is, as stacks name it. */
  constructor(file: string) {
    this.#own = new RegExp(`^\\s+at .*(${file.replace(/[^\w/:]/g, "\\$&")}|node:diagnostics_channel):\\d+`);
  }

  isOne({ instance, stream, text }: OutputLine): boolean {
    if (stream !== "stderr") return false;
    const left = this.#skip.get(instance);
    if (left !== undefined) {
      if (left > 1) this.#skip.set(instance, left - 1);
      else this.#skip.delete(instance);
      return true;
    }
    if (/^node:diagnostics_channel:\d+$/.test(text)) {
      this.#skip.set(instance, excerptLines);
      return true;
    }
    return this.#own.test(text);
  }
}
