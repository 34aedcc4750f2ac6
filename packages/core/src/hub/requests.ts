import { FrameOffset } from "./hub-frame.ts";

/** What a worker asks its primary; the numbers are doubles, the rest is the key, or what is said. */
export const Operation = {
  /** amount, windowMs · key → total, resetMs */
  counterAdd: 1,
  /** key → total, resetMs */
  counterGet: 2,
  /** key */
  counterDelete: 3,
  /** ttlMs, bytes of the key · key, value */
  storeSet: 4,
  /** key → value */
  storeGet: 5,
  /** As storeGet; it is gone then. */
  storeTake: 6,
  /** channel, after, to → floor · the retained frames with these sequences */
  replay: 7,
  /** points, windowMs, burst · key → 1 if allowed, remaining, retryMs, resetMs */
  rateTake: 8,
  /** ttlMs, bytes of the key, bytes of what is expected · key, expected, value → nothing if something else is there */
  storeReplace: 9,
  /** points, windowMs, by · key */
  rateAdjust: 10,
} as const;

export const ReplyStatus = {
  done: 0,
  /** There is nothing under that key. */
  nothing: 1,
  /** JSON: code and message of an error. */
  failed: 2,
} as const;

export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** A request or reply as it was read: `count` numbers, then the payload. */
export function readNumbers(bytes: Buffer, start: number, end: number, count: number): readonly number[] | undefined {
  const from = start + FrameOffset.arguments;
  if (from + 8 * count > end) return undefined;
  return Array.from({ length: count }, (_, index) => bytes.readDoubleBE(from + 8 * index));
}

export function payloadAfter(bytes: Buffer, start: number, end: number, count: number): Buffer {
  return bytes.subarray(start + FrameOffset.arguments + 8 * count, end);
}
