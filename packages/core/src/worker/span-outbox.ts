import type { Clock, Timer } from "../model/clock.ts";
import type { Span } from "../model/span.ts";
import { contained } from "./agent-faults.ts";

/** `dropped`: so many there was no room for. */
export type SendSpans = (spans: readonly Span[], dropped: number) => void;

/** At least as long between two messages. */
const intervalMs = 100;
/** In a message: more within its time are not told. */
const maxSpans = 2_000;

/** Spans that a worker has made, on their way to the primary: many in a message. */
export class SpanOutbox {
  readonly #clock: Clock;
  readonly #send: SendSpans;
  #spans: Span[] = [];
  #dropped = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, send: SendSpans) {
    this.#clock = clock;
    this.#send = send;
  }

  add(span: Span): void {
    if (this.#spans.length < maxSpans) this.#spans.push(span);
    else this.#dropped += 1;
    this.#timer ??= this.#clock.after(intervalMs, this.#due);
  }

  /** What waits is told now: the process ends. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#spans.length === 0) return;
    const [spans, dropped] = [this.#spans, this.#dropped];
    this.#spans = [];
    this.#dropped = 0;
    this.#send(spans, dropped);
  }

  readonly #due = contained("spans", () => this.flush());
}
