import { instanceNumber } from "./numbers.ts";

/** A retained message, by what tells it from all others. */
export interface RetainedMark {
  /** Its number among all that were retained on the channel; infinite as long as the primary has not told it. */
  readonly sequence: number;
  /** Its number among those of the instance that it comes from. */
  readonly count: number;
  readonly from: string;
}

/**
 * Which retained messages somebody has seen: those of the instance `at` up to `count`, and of all others those up to
 * `sequence`. Two numbers say it because an instance sees what others retain in one order, the primary's, and what it
 * retains itself at once, before the primary has given it a number.
 *
 * It stays true at any other instance as soon as that one has everything up to `sequence` of the time when `at` was last
 * heard of: whatever `at` retained later than `count` got a number above `sequence`, since `at` had seen that number.
 */
export interface Position {
  readonly sequence: number;
  readonly count: number;
  readonly at: string;
}

/** Whether somebody at that position has seen `mark`. */
function covers({ sequence, count, at }: Position, mark: RetainedMark): boolean {
  return mark.from === at ? mark.count <= count : mark.sequence <= sequence;
}

/** The position of somebody who has seen `mark` after it, and whatever of concern to him came between. */
function advance({ sequence, count, at }: Position, mark: RetainedMark): Position {
  return {
    sequence: Number.isFinite(mark.sequence) ? Math.max(sequence, mark.sequence) : sequence,
    count: mark.from === at ? Math.max(count, mark.count) : count,
    at,
  };
}

function format({ sequence, count, at }: Position): string {
  return `${sequence.toString(36)}-${count.toString(36)}-${at}`;
}

/** `undefined`: nothing that `format` has written. */
function parse(text: string): Position | undefined {
  const match = /^([0-9a-z]{1,10})-([0-9a-z]{1,10})-(\d+\.\d+)$/.exec(text);
  if (match === null || instanceNumber(match[3]!) === undefined) return undefined;
  const [sequence, count] = [Number.parseInt(match[1]!, 36), Number.parseInt(match[2]!, 36)];
  return { sequence, count, at: match[3]! };
}

/** What one does with a {@link Position}; as text it is short, for it travels with every message. */
export const retainedPosition = { parse, format, covers, advance };
