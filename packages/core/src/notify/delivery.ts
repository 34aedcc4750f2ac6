import type { AlertFailedEvent } from "../events/cluster-event-map.ts";
import type { AlertMessage } from "../model/alert.ts";
import type { Clock, Timer } from "../model/clock.ts";
import type { Random } from "../model/random.ts";
import { DeliveryError, type Messenger } from "./messenger.ts";

export interface DeliveryOptions {
  readonly messenger: Messenger;
  readonly clock: Clock;
  readonly random: Random;
  readonly failed: (failure: AlertFailedEvent) => void;
}

/** Who has not answered by then does not. */
const attemptMs = 10_000;
/** Doubled with each attempt. */
const firstRetryMs = 1_000;
const maxRetryMs = 300_000;
/** A message is news for so long. */
const giveUpMs = 3_600_000;
/** More that wait for one target are dropped, the newest first: how it began matters most. */
const maxWaiting = 100;

/** Messages on their way to one target, one after the other, each until it is taken or not worth it any more. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #waiting: { readonly message: AlertMessage; readonly since: number }[] = [];
  /** Messages that were dropped since it was last told. */
  #lost = 0;
  #working = false;
  /** Ends what is under way. */
  readonly #end = new AbortController();
  /** Called when nothing waits any more. */
  #idle: (() => void)[] = [];
  #pause: { readonly timer: Timer; readonly resume: () => void } | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  add(message: AlertMessage): void {
    if (this.#end.signal.aborted) return;
    if (this.#waiting.length >= maxWaiting) {
      this.#lost += 1;
      this.#tell(new DeliveryError(`${maxWaiting} messages wait for it already`), undefined);
      return;
    }
    this.#waiting.push({ message, since: this.#options.clock.now() });
    if (!this.#working) void this.#work();
  }

  /** Sends one beside all others, once. @throws whatever was wrong */
  attempt(message: AlertMessage): Promise<void> {
    return attempt(this.#options, message, this.#end.signal);
  }

  /** Resolves when all that waits has been tried, `withinMs` at most; nothing is sent afterwards. */
  async end(withinMs: number): Promise<void> {
    const { clock } = this.#options;
    if (this.#working) {
      // Who did not take it before is not waited for.
      const failing = this.#pause !== undefined;
      await new Promise<void>((resolve) => {
        this.#idle.push(resolve);
        clock.after(failing ? 0 : withinMs, resolve, { keepAlive: true });
      });
    }
    this.#end.abort();
    this.#pause?.timer.cancel();
    this.#pause?.resume();
  }

  async #work(): Promise<void> {
    this.#working = true;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      await this.#deliver(next);
      this.#waiting.shift();
    }
    this.#working = false;
    for (const call of this.#idle) call();
    this.#idle = [];
  }

  async #deliver({ message, since }: { readonly message: AlertMessage; readonly since: number }): Promise<void> {
    const { clock, random } = this.#options;
    for (let attempts = 1; !this.#end.signal.aborted; attempts += 1) {
      try {
        await attempt(this.#options, message, this.#end.signal);
        return;
      } catch (error) {
        if (this.#end.signal.aborted) return;
        const longest = Math.min(maxRetryMs, firstRetryMs * 2 ** (attempts - 1));
        const retryInMs = longest * (0.5 + random() / 2);
        const isFinal = error instanceof DeliveryError && error.isFinal;
        const isOver = isFinal || clock.now() - since + retryInMs > giveUpMs;
        if (isOver) this.#lost += 1;
        if (isOver || attempts === 1) this.#tell(error as Error, isOver ? undefined : retryInMs);
        if (isOver) return;
        await this.#paused(retryInMs);
      }
    }
  }

  #tell(error: Error, retryInMs: number | undefined): void {
    const { messenger, failed } = this.#options;
    const lost = this.#lost;
    this.#lost = 0;
    const retry = retryInMs === undefined ? {} : { retryInMs: Math.round(retryInMs) };
    failed({ target: messenger.name, error: messageOf(error), ...retry, lost });
  }

  async #paused(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#pause = { timer: this.#options.clock.after(ms, resolve), resume: resolve };
    });
    this.#pause = undefined;
  }
}

/** One, bounded in time whatever the target does. @throws */
async function attempt({ messenger, clock }: DeliveryOptions, message: AlertMessage, end: AbortSignal): Promise<void> {
  const bound = new AbortController();
  const signal = AbortSignal.any([bound.signal, end]);
  const late = new DeliveryError(`it did not take it within ${attemptMs / 1_000} s`);
  const timer = clock.after(attemptMs, () => bound.abort(late));
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  try {
    await Promise.race([messenger.send(message, signal), aborted]);
  } finally {
    timer.cancel();
  }
}

/** Whatever was thrown: users' own functions throw all there is. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
