import { writeSync } from "node:fs";
import { emitKeypressEvents, type Key } from "node:readline";
import { keyOf } from "./keys.ts";
import { difference, type Look, rendered } from "./screen-diff.ts";
import type { Line } from "./styled-text.ts";

export interface ScreenOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream & { readonly fd: number };
  readonly look: Look;
  readonly pressed: (key: string) => void;
  /** It has another size, or shows nothing of ours any more. */
  readonly changed: () => void;
  /** Nobody looks any more; `signal`: this one asked for the end. */
  readonly ended: (signal?: NodeJS.Signals) => void;
}

/** The other screen, without a cursor, and with lines that are cut at the edge. */
const enter = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J";
const leave = "\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l";
/** Terminals that know it show what is between at once; others take it for nothing. */
const [begin, end] = ["\u001b[?2026h", "\u001b[?2026l"];

const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The terminal while all of it is ours. However this process ends, but for SIGKILL, the terminal is left as it was. */
export class Screen {
  readonly #options: ScreenOptions;
  #open = false;
  #shown: readonly string[] = [];
  /** What waits until the terminal has taken what it was given. */
  #next: readonly string[] | undefined;
  #writing = false;

  constructor(options: ScreenOptions) {
    this.#options = options;
    const { input, output } = options;
    if (input.isTTY) {
      emitKeypressEvents(input);
      input.on("keypress", this.#keypress);
      // The terminal is gone.
      input.on("end", this.#gone);
    }
    input.on("error", this.#gone);
    output.on("error", this.#gone);
    output.on("resize", this.#anew);
    for (const signal of endings) process.on(signal, this.#signalled);
    process.on("SIGTSTP", this.suspend);
    process.on("SIGCONT", this.#continued);
    process.on("exit", this.#restore);
    this.#enter();
  }

  get size(): { readonly columns: number; readonly rows: number } {
    // Some terminals do not know, or say nothing.
    const { columns, rows } = this.#options.output;
    return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 };
  }

  show(lines: readonly Line[]): void {
    this.#next = lines.map((line) => rendered(line, this.#options.look));
    this.#write();
  }

  /** What is shown next is written whole. */
  readonly redraw = (): void => {
    this.#shown = [];
    this.#anew();
  };

  /** As any program on Ctrl-Z: the shell has the terminal until it goes on. */
  readonly suspend = (): void => {
    this.#restore();
    process.off("SIGTSTP", this.suspend);
    process.kill(process.pid, "SIGTSTP");
  };

  close(): void {
    const { input, output } = this.#options;
    input.off("keypress", this.#keypress).off("end", this.#gone);
    output.off("resize", this.#anew);
    for (const signal of endings) process.off(signal, this.#signalled);
    process.off("SIGTSTP", this.suspend).off("SIGCONT", this.#continued).off("exit", this.#restore);
    this.#restore();
  }

  readonly #keypress = (text: string | undefined, key: Key): void => {
    const pressed = keyOf(text, key);
    if (pressed !== undefined) this.#options.pressed(pressed);
  };

  readonly #gone = (): void => this.#options.ended();

  readonly #signalled = (signal: NodeJS.Signals): void => this.#options.ended(signal);

  readonly #anew = (): void => {
    this.#shown = [];
    this.#options.changed();
  };

  /** Also after a stop that could not be noticed: what the terminal shows is not known. */
  readonly #continued = (): void => {
    process.off("SIGTSTP", this.suspend).on("SIGTSTP", this.suspend);
    this.#enter();
    this.#anew();
  };

  #enter(): void {
    const { input, output } = this.#options;
    this.#open = true;
    if (input.isTTY) input.setRawMode(true).resume();
    output.write(enter);
  }

  readonly #restore = (): void => {
    const { input, output } = this.#options;
    if (!this.#open) return;
    this.#open = false;
    if (input.isTTY) input.setRawMode(false).pause();
    try {
      // At once: there may be no later.
      writeSync(output.fd, leave);
    } catch {
      // The terminal is gone.
    }
  };

  /** One at a time: a slow line skips frames instead of being behind. */
  #write(): void {
    const next = this.#next;
    if (next === undefined || this.#writing || !this.#open) return;
    this.#next = undefined;
    const text = difference(this.#shown, next);
    this.#shown = next;
    if (text === "") return;
    this.#writing = true;
    this.#options.output.write(`${begin}${text}${end}`, () => {
      this.#writing = false;
      this.#write();
    });
  }
}
