import type { OutputLine } from "../model/output-line.ts";

/** Lines kept of one instance; with one that writes more nothing is held back any longer. */
const maxHeldLines = 200;

/**
 * What instances write while they start for the first time. Where a program cannot start, every instance says the same; so
 * that it is read once, the lines of all but the first are held until it is clear what becomes of the start.
 */
export class StartOutput {
  readonly #write: (line: OutputLine) => void;
  readonly #held: OutputLine[] = [];
  readonly #ofTheFirst = new Set<string>();
  #holds = true;

  constructor(write: (line: OutputLine) => void) {
    this.#write = write;
  }

  line(line: OutputLine): void {
    if (!this.#holds || line.backend !== undefined) {
      this.#write(line);
      return;
    }
    if (line.instance === 1) {
      if (this.#ofTheFirst.size < maxHeldLines) this.#ofTheFirst.add(line.text);
      this.#write(line);
      return;
    }
    this.#held.push(line);
    if (this.#held.filter(({ instance }) => instance === line.instance).length > maxHeldLines) this.end();
  }

  /** All are ready, or it takes so long that somebody may wonder. */
  end(): void {
    this.#holds = false;
    for (const line of this.#held.splice(0)) this.#write(line);
  }

  /** The start ended in the failure of one instance: what that said, unless the first has said the same; undefined: of none. */
  failed(instance: number | undefined): void {
    this.#holds = false;
    const held = this.#held.splice(0).filter((line) => instance === undefined || line.instance === instance);
    if (held.some(({ text }) => !this.#ofTheFirst.has(text))) for (const line of held) this.#write(line);
  }
}
