import { styleText } from "node:util";
import { showsColours } from "../../cluster/open-log.ts";
import type { Clock, Timer } from "../../model/clock.ts";
import { terminalSafe } from "../terminal-safe.ts";

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMs = 100;

/** How a deploy gets on, for people: on a terminal with a line that moves below what is written, elsewhere plainly. */
export class DeployScreen {
  readonly #stream: NodeJS.WriteStream;
  readonly #clock: Clock;
  #running: { readonly title: string; readonly since: number } | undefined;
  #timer: Timer | undefined;
  #frame = 0;

  constructor(stream: NodeJS.WriteStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  /** Something begins that takes its time. */
  begin(title: string): void {
    this.#running = { title, since: this.#clock.now() };
    if (this.#stream.isTTY) this.#move();
    else this.say(`> ${title}`);
  }

  /** What it writes. */
  line(text: string): void {
    this.#write(`${this.#styled("dim", "  |")} ${terminalSafe(text, showsColours(this.#stream))}`);
  }

  /** How it ended; `failure`: why it has failed. */
  end(failure?: string): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#stop();
    const took = this.#styled("dim", spanWords(this.#clock.now() - running.since));
    if (failure === undefined) this.#write(`${this.#styled("green", "✓")} ${safe(running.title)}  ${took}`);
    else
      this.#write(`${this.#styled("red", "✗")} ${safe(running.title)}  ${took}  ${this.#styled("red", safe(failure))}`);
  }

  say(text: string): void {
    for (const line of text.split("\n")) this.#write(terminalSafe(line, true));
  }

  #write(line: string): void {
    this.#clear();
    this.#stream.write(`${line}\n`);
    this.#draw();
  }

  #move(): void {
    this.#draw();
    this.#timer = this.#clock.after(frameMs, () => {
      this.#frame += 1;
      this.#clear();
      this.#move();
    });
  }

  #draw(): void {
    if (this.#running === undefined || !this.#stream.isTTY) return;
    const { title, since } = this.#running;
    const took = spanWords(this.#clock.now() - since);
    // A line that wraps could not be cleared.
    const room = Math.max(8, (this.#stream.columns ?? 80) - took.length - 5);
    const shown = safe(title).slice(0, room);
    this.#stream.write(`${this.#styled("cyan", frames[this.#frame % frames.length]!)} ${shown}  ${took}`);
  }

  #clear(): void {
    if (this.#running !== undefined && this.#stream.isTTY) this.#stream.write("\r\u001b[K");
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#clear();
    this.#running = undefined;
  }

  #styled(style: "dim" | "green" | "red" | "cyan", text: string): string {
    return styleText(style, text, { stream: this.#stream });
  }
}

export function spanWords(ms: number): string {
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1_000)} s`;
}

function safe(text: string): string {
  return terminalSafe(text, false);
}
