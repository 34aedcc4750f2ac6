import type { StdioOptions } from "node:child_process";

/** Behind the standard streams. */
const first = 3;

/** Which of this process's descriptors a process gets that it starts, and by which numbers. */
export class Descriptors {
  /** By their numbers there. */
  readonly #given = new Map<number, number | "ipc" | "pipe">();

  /** By the numbers that they have here: they are written somewhere. */
  constructor(kept: readonly number[]) {
    for (const fd of kept) this.#given.set(fd, fd);
  }

  /** Its number there. */
  give(what: number | "ipc" | "pipe"): number {
    if (typeof what === "number" && this.#given.get(what) === what) return what;
    let number = first;
    while (this.#given.has(number)) number += 1;
    this.#given.set(number, what);
    return number;
  }

  /** Behind the standard streams; what nobody has been given is nothing there. */
  get stdio(): Exclude<StdioOptions, string> {
    const last = Math.max(first - 1, ...this.#given.keys());
    return Array.from({ length: last + 1 - first }, (_, at) => this.#given.get(first + at) ?? "ignore");
  }
}
