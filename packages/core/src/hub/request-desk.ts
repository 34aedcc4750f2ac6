import type { Clock } from "../model/clock.ts";
import { Counters } from "./counters.ts";
import { ExpiringTable } from "./expiring-table.ts";
import type { GatheredFrames, Payload } from "./gathered-frames.ts";
import { FrameOffset } from "./hub-frame.ts";
import { entryOverheadBytes, maxKeyBytes, maxStoredBytes, maxStoredKeys } from "./limits.ts";
import { RateTable } from "./rate-table.ts";
import { type Failure, Operation, payloadAfter, ReplyStatus, readNumbers } from "./requests.ts";

/** What the retained log of a channel answers. */
export interface Replays {
  replay(channel: number, after: number, to: number): { readonly floor: number; readonly frames: Buffer } | undefined;
}

/** The primary's tables, and the answers from them. */
export class RequestDesk {
  readonly #clock: Clock;
  readonly #replays: Replays;
  readonly #counters = new Counters();
  readonly #rates = new RateTable();
  readonly #store = new ExpiringTable<Buffer>({ maxEntries: maxStoredKeys, maxBytes: maxStoredBytes });

  constructor(clock: Clock, replays: Replays) {
    this.#clock = clock;
    this.#replays = replays;
  }

  /** Puts the answer into `batch`. A request that makes no sense is answered as failed. */
  answer(bytes: Buffer, start: number, end: number, batch: GatheredFrames): void {
    const { status, numbers, payload } = this.#reply(bytes, start, end);
    batch.reply(bytes.readUInt32BE(start + FrameOffset.requestId), status, numbers, payload);
  }

  sweep(now: number): void {
    this.#counters.sweep(now);
    this.#rates.sweep(now);
    this.#store.sweep(now);
  }

  #reply(bytes: Buffer, start: number, end: number): Answer {
    const numbers = (count: number) => readNumbers(bytes, start, end, count) ?? Array<number>(count).fill(Number.NaN);
    const now = this.#clock.now();
    const operation = bytes[start + FrameOffset.operation];
    switch (operation) {
      case Operation.counterAdd: {
        const [amount, windowMs] = numbers(2) as [number, number];
        if (!Number.isFinite(amount) || !(windowMs > 0)) return senseless;
        const key = keyOf(bytes, start, end, 2);
        if (key === undefined) return senseless;
        const { total, resetMs } = this.#counters.add(key, amount, windowMs, now);
        return done([total, resetMs]);
      }
      case Operation.counterGet: {
        const reading = this.#counters.get(keyOf(bytes, start, end, 0) ?? "", now);
        return reading === undefined ? nothing : done([reading.total, reading.resetMs]);
      }
      case Operation.counterDelete:
        return this.#counters.delete(keyOf(bytes, start, end, 0) ?? "") ? done([]) : nothing;
      case Operation.storeSet: {
        const [ttlMs, keyBytes] = numbers(2) as [number, number];
        const said = payloadAfter(bytes, start, end, 2);
        if (!(ttlMs > 0) || !(keyBytes >= 0 && keyBytes <= Math.min(said.length, maxKeyBytes))) return senseless;
        // A copy, since a value of a few bytes would keep all that was read with it.
        const value = Buffer.from(said.subarray(keyBytes));
        const key = said.toString("utf8", 0, keyBytes);
        this.#store.set(key, value, { expiresAt: now + ttlMs, bytes: said.length + entryOverheadBytes, now });
        return done([]);
      }
      case Operation.storeGet:
      case Operation.storeTake: {
        const key = keyOf(bytes, start, end, 0) ?? "";
        const entry = this.#store.get(key, now);
        if (entry === undefined) return nothing;
        if (operation === Operation.storeTake) this.#store.delete(key);
        return done([], entry.value);
      }
      case Operation.storeReplace: {
        const [ttlMs, keyBytes, expectedBytes] = numbers(3) as [number, number, number];
        const said = payloadAfter(bytes, start, end, 3);
        if (!(ttlMs > 0) || !(keyBytes >= 0 && keyBytes <= maxKeyBytes)) return senseless;
        if (!(expectedBytes >= 0 && keyBytes + expectedBytes <= said.length)) return senseless;
        const key = said.toString("utf8", 0, keyBytes);
        const expected = said.subarray(keyBytes, keyBytes + expectedBytes);
        if (this.#store.get(key, now)?.value.equals(expected) !== true) return nothing;
        const value = Buffer.from(said.subarray(keyBytes + expectedBytes));
        const weight = keyBytes + value.length + entryOverheadBytes;
        this.#store.set(key, value, { expiresAt: now + ttlMs, bytes: weight, now });
        return done([]);
      }
      case Operation.replay: {
        const [channel, after, to] = numbers(3) as [number, number, number];
        const replay = this.#replays.replay(channel, after, to);
        return replay === undefined ? nothing : done([replay.floor], replay.frames);
      }
      case Operation.rateTake: {
        const [points, windowMs, burst] = numbers(3) as [number, number, number];
        if (!(points > 0) || !(windowMs > 0) || !(burst >= 0)) return senseless;
        const key = keyOf(bytes, start, end, 3);
        if (key === undefined) return senseless;
        const { allowed, remaining, retryMs, resetMs } = this.#rates.take(key, { points, windowMs, burst }, now);
        return done([allowed ? 1 : 0, remaining, retryMs, resetMs]);
      }
      case Operation.rateAdjust: {
        const [points, windowMs, by] = numbers(3) as [number, number, number];
        const key = keyOf(bytes, start, end, 3);
        if (!(points > 0) || !(windowMs > 0) || Number.isNaN(by) || key === undefined) return senseless;
        this.#rates.adjust(key, { points, windowMs }, by, now);
        return done([]);
      }
      default:
        return senseless;
    }
  }
}

interface Answer {
  readonly status: number;
  readonly numbers: readonly number[];
  readonly payload: Payload;
}

const nothing: Answer = { status: ReplyStatus.nothing, numbers: [], payload: "" };
const senseless: Answer = {
  status: ReplyStatus.failed,
  numbers: [],
  payload: JSON.stringify({
    code: "LB_HUB_PROTOCOL",
    message: "The primary does not understand this request.",
  } satisfies Failure),
};

function done(numbers: readonly number[], payload: Payload = ""): Answer {
  return { status: ReplyStatus.done, numbers, payload };
}

/** `undefined`: longer than any key may be. */
function keyOf(bytes: Buffer, start: number, end: number, numbers: number): string | undefined {
  const key = payloadAfter(bytes, start, end, numbers);
  return key.length <= maxKeyBytes ? key.toString() : undefined;
}
