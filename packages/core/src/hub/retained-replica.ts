import type { Payload } from "./gathered-frames.ts";
import { type Position, type RetainedMark, retainedPosition } from "./position.ts";
import { RetainedLog, type RetentionSettings } from "./retained-log.ts";

/** A retained message, as an instance has it. */
export interface RetainedMessage extends RetainedMark {
  readonly payload: Payload;
}

/**
 * What an instance remembers of the retained messages of a channel, so that it answers replays from its own memory: what
 * the primary has numbered, in that order, then what this instance has retained and the primary has not numbered yet.
 */
export class RetainedReplica {
  readonly #settings: RetentionSettings;
  readonly #own: string;
  readonly #numbered: RetainedLog<RetainedMessage>;
  #unnumbered: RetainedMessage[] = [];
  #unnumberedBytes = 0;
  #count = 0;

  constructor(settings: RetentionSettings, own: string) {
    this.#settings = settings;
    this.#own = own;
    this.#numbered = new RetainedLog(settings, 0);
  }

  /** What this instance has seen by now. */
  get position(): Position {
    return { sequence: this.#numbered.head, count: this.#count, at: this.#own };
  }

  get sequence(): number {
    return this.#numbered.head;
  }

  /** Everything with a higher sequence is in here. */
  get floor(): number {
    return this.#numbered.floor;
  }

  /** Ours, and without a number, from the oldest on. */
  get unnumbered(): readonly RetainedMessage[] {
    return this.#unnumbered;
  }

  get unnumberedBytes(): number {
    return this.#unnumberedBytes;
  }

  get settings(): RetentionSettings {
    return this.#settings;
  }

  /** Nothing up to `sequence` is known, and everything behind it will come. */
  begin(sequence: number): void {
    this.#numbered.restart(sequence);
  }

  addOwn(payload: Payload): RetainedMessage {
    this.#count += 1;
    const message = { payload, sequence: Number.POSITIVE_INFINITY, count: this.#count, from: this.#own };
    this.#unnumbered.push(message);
    this.#unnumberedBytes += message.payload.length;
    return message;
  }

  /** The next in the primary's order, from another instance. Were one missing, what is before it would be of no use. */
  add(message: RetainedMessage, now: number): void {
    if (message.sequence !== this.sequence + 1) this.begin(message.sequence - 1);
    this.#numbered.append(message, message.payload.length, now);
  }

  /** The next `entries` in the primary's order are ours; the last of them is `count`, and has the number `sequence`. */
  number({ entries, count, sequence }: { entries: number; count: number; sequence: number }, now: number): void {
    if (sequence - entries !== this.sequence) this.begin(sequence - entries);
    const first = this.#unnumbered.findIndex((message) => message.count === count - entries + 1);
    const own = first < 0 ? [] : this.#unnumbered.splice(0, first + entries).slice(first);
    for (const message of own) {
      this.#unnumberedBytes -= message.payload.length;
      this.#numbered.append({ ...message, sequence: this.sequence + 1 }, message.payload.length, now);
    }
    if (this.sequence !== sequence) this.begin(sequence);
  }

  prepend(messages: readonly RetainedMessage[], now: number): void {
    this.#numbered.prepend(
      messages.map((item) => ({ item, bytes: item.payload.length })),
      now,
    );
  }

  /** What somebody at `position` has not seen, in order. */
  *after(position: Position): Generator<RetainedMessage> {
    for (const [, message] of this.#numbered.after(position.sequence))
      if (!retainedPosition.covers(position, message)) yield message;
    for (const message of this.#unnumbered) if (!retainedPosition.covers(position, message)) yield message;
  }
}
