import type { Clock, Timer } from "../model/clock.ts";
import type { Random } from "../model/random.ts";
import type { Span, SpanAttributes } from "../model/span.ts";
import { otlpMessage, otlpSpan } from "./otlp-json.ts";

/** What a receiver said to a message. */
export type Sent =
  /** `rejected`: so many of the spans it has not taken. */
  | { readonly kind: "taken"; readonly rejected: number }
  | { readonly kind: "later"; readonly error: Error; readonly afterMs?: number | undefined }
  | { readonly kind: "never"; readonly error: Error };

export interface SpanExportOptions {
  /** Sends one message; bounded in time by the signal. Never rejects. */
  readonly send: (message: string, signal: AbortSignal) => Promise<Sent>;
  /** Who makes the spans. */
  readonly resource: SpanAttributes;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  /** So many spans were lost. */
  readonly dropped: (spans: number, error: Error | undefined) => void;
}

/** Plain JSON. */
export interface SpanExportStatus {
  /** Spans that the receiver has taken since the start. */
  readonly exported: number;
  /** Those that are lost: there was no room for them, or the receiver did not take them. */
  readonly dropped: number;
  /** Those that are made and not taken yet. */
  readonly waiting: number;
  /** Why the receiver does not take them, or `null`: it does. */
  readonly error: string | null;
}

/** In a message; as many as OpenTelemetry's own processor sends. */
const maxBatch = 512;
/** Of spans that wait, in characters: one that does not take them must not make us grow. */
const maxWaiting = 8_388_608;
/** At least one span has waited for so long when a message is sent that is not full. */
const intervalMs = 1_000;
const attemptMs = 10_000;
const firstRetryMs = 1_000;
const maxRetryMs = 30_000;
/** Attempts for one message, a minute and a half: then there are newer ones that are worth more. */
const maxAttempts = 6;

interface Waiting {
  readonly text: string;
}

/** Spans on their way to a receiver: many in a message, one message at a time, and nobody waits for it. */
export class SpanExport {
  readonly #options: SpanExportOptions;
  #waiting: Waiting[] = [];
  #characters = 0;
  #exported = 0;
  #dropped = 0;
  #error: Error | undefined;
  #timer: Timer | undefined;
  #sending = false;
  #inFlight = 0;
  readonly #end = new AbortController();
  #paused: (() => void) | undefined;
  #idle: (() => void)[] = [];

  constructor(options: SpanExportOptions) {
    this.#options = options;
  }

  get status(): SpanExportStatus {
    return {
      exported: this.#exported,
      dropped: this.#dropped,
      waiting: this.#waiting.length + this.#inFlight,
      error: this.#error?.message ?? null,
    };
  }

  add(span: Span): void {
    if (this.#end.signal.aborted) return;
    const text = otlpSpan(span);
    if (this.#characters + text.length > maxWaiting) {
      this.lost(1);
      return;
    }
    this.#waiting.push({ text });
    this.#characters += text.length;
    if (this.#sending) return;
    if (this.#waiting.length >= maxBatch) void this.#work();
    else this.#timer ??= this.#options.clock.after(intervalMs, () => void this.#work());
  }

  /** So many could not even get here. */
  lost(spans: number, error = this.#error): void {
    this.#dropped += spans;
    this.#options.dropped(spans, error);
  }

  /** Resolves when all that waits has been tried once, `withinMs` at most; nothing is sent afterwards. */
  async end(withinMs: number): Promise<void> {
    const { clock } = this.#options;
    if (this.#paused === undefined && (this.#sending || this.#waiting.length > 0)) {
      if (!this.#sending) void this.#work();
      await new Promise<void>((resolve) => {
        this.#idle.push(resolve);
        clock.after(withinMs, resolve, { keepAlive: true });
      });
    }
    this.#end.abort();
    this.#paused?.();
  }

  async #work(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#waiting.length > 0 && !this.#end.signal.aborted) {
      const batch = this.#waiting.splice(0, maxBatch);
      this.#inFlight = batch.length;
      await this.#deliver(batch);
      this.#inFlight = 0;
      for (const { text } of batch) this.#characters -= text.length;
    }
    this.#sending = false;
    for (const call of this.#idle) call();
    this.#idle = [];
  }

  async #deliver(batch: readonly Waiting[]): Promise<void> {
    const { resource, version, random } = this.#options;
    const spans = batch.map(({ text }) => text);
    const message = otlpMessage(resource, { name: "@lb/core", version }, spans);
    for (let attempts = 1; !this.#end.signal.aborted; attempts += 1) {
      const sent = await this.#attempt(message);
      if (sent.kind === "taken") {
        const rejected = Math.min(sent.rejected, batch.length);
        this.#exported += batch.length - rejected;
        this.#error = undefined;
        if (rejected > 0) this.lost(rejected, new Error("the receiver did not take them"));
        return;
      }
      this.#error = sent.error;
      if (sent.kind === "never" || attempts === maxAttempts) break;
      // One who ends does not wait.
      if (this.#idle.length > 0) break;
      const longest = Math.min(maxRetryMs, firstRetryMs * 2 ** (attempts - 1));
      await this.#pause(Math.min(maxRetryMs, sent.afterMs ?? longest * (0.5 + random() / 2)));
    }
    this.lost(batch.length);
  }

  async #attempt(message: string): Promise<Sent> {
    const { send, clock } = this.#options;
    const bound = new AbortController();
    const timer = clock.after(attemptMs, () => bound.abort());
    try {
      return await send(message, AbortSignal.any([bound.signal, this.#end.signal]));
    } finally {
      timer.cancel();
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(ms, resolve);
      this.#paused = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#paused = undefined;
  }
}
