import type { Clock, Timer } from "../model/clock.ts";
import { HubError } from "./errors.ts";
import { FrameOffset } from "./hub-frame.ts";
import { type Failure, payloadAfter, ReplyStatus, readNumbers } from "./requests.ts";

/** An answer: its numbers and bytes, where there are any. */
export interface Reply {
  /** False: there is nothing under that key. */
  readonly found: boolean;
  numbers(count: number): readonly number[];
  payload(numbers: number): Buffer;
}

interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: HubError) => void;
  readonly deadline: number;
}

const timeoutMs = 10_000;
const sweepMs = 1_000;

/** Requests whose answer has not come, in the order in which they were made. Nothing waits for ever. */
export class PendingRequests {
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `send` puts the request under its id on the way. */
  add(send: (id: number) => void): Promise<Reply> {
    return new Promise((resolve, reject) => {
      do this.#lastId = (this.#lastId + 1) % 0x1_0000_0000;
      while (this.#pending.has(this.#lastId));
      send(this.#lastId);
      this.#pending.set(this.#lastId, { resolve, reject, deadline: this.#clock.now() + timeoutMs });
      this.#timer ??= this.#clock.after(sweepMs, this.#sweep);
    });
  }

  /** An answer that nobody waits for any more is ignored. */
  settle(bytes: Buffer, start: number, end: number): void {
    const id = bytes.readUInt32BE(start + FrameOffset.requestId);
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    const status = bytes[start + FrameOffset.operation];
    if (status === ReplyStatus.failed) {
      const { code, message } = JSON.parse(payloadAfter(bytes, start, end, 0).toString()) as Failure;
      pending.reject(new HubError(code, message));
      return;
    }
    pending.resolve({
      found: status === ReplyStatus.done,
      numbers: (count) => readNumbers(bytes, start, end, count) ?? [],
      payload: (numbers) => payloadAfter(bytes, start, end, numbers),
    });
  }

  rejectAll(error: HubError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }

  readonly #sweep = () => {
    this.#timer = undefined;
    const now = this.#clock.now();
    for (const [id, { deadline, reject }] of this.#pending) {
      if (deadline > now) break;
      this.#pending.delete(id);
      const message = `The primary has not answered within ${timeoutMs / 1_000} s: it is stopped, or its event loop blocked.`;
      reject(new HubError("LB_HUB_TIMEOUT", message));
    }
    if (this.#pending.size > 0) this.#timer = this.#clock.after(sweepMs, this.#sweep);
  };
}
