import type { Clock, Timer } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import type { BackendEndpoint, EndpointEntry, EndpointsSettings } from "../options/backend-endpoint-options.ts";

export interface ToldListsOptions {
  readonly settings: Extract<EndpointsSettings, { readonly kind: "function" }>;
  /** From one answer to the next call, or from the last list that was yielded. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly told: (entries: readonly EndpointEntry[]) => void;
  /** The function threw, or told what is no list; told of each time. */
  readonly failed: (error: Error) => void;
}

/** For one list; what yields them may take its time. */
const patienceMs = 30_000;
const retryMs = { first: 1_000, most: 30_000 };

/** The lists that a function of the user's tells: called again and again, or read for as long as it yields them. */
export class ToldLists {
  readonly #options: ToldListsOptions;
  readonly #closing = new AbortController();
  #timer: Timer | undefined;
  /** In a row. */
  #failures = 0;

  constructor(options: ToldListsOptions) {
    this.#options = options;
    this.#call();
  }

  close(): void {
    this.#timer?.cancel();
    this.#closing.abort();
  }

  #call(): void {
    this.#ask().then(
      () => this.#callAgain(this.#options.everyMs),
      (error: unknown) => {
        if (this.#closing.signal.aborted) return;
        this.#failures += 1;
        this.#callAgain(Math.min(retryMs.first * 2 ** (this.#failures - 1), retryMs.most));
        this.#options.failed(error instanceof Error ? error : new LbError("LB_ENDPOINTS", `It threw ${String(error)}`));
      },
    );
  }

  #callAgain(ms: number): void {
    if (this.#closing.signal.aborted) return;
    this.#timer = this.#options.clock.after(ms, () => this.#call());
  }

  /** One call, with all that it yields. */
  async #ask(): Promise<void> {
    const patience = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, patience.signal]);
    const told = this.#options.settings.call({ signal });
    if (isYielding(told)) {
      await this.#readAll(told);
      return;
    }
    const list = await this.#inTime(told, patience);
    if (!this.#closing.signal.aborted) this.#take(list);
  }

  async #readAll(yielding: AsyncIterable<readonly BackendEndpoint[]>): Promise<void> {
    const iterator = yielding[Symbol.asyncIterator]();
    const closed = new Promise<"closed">((resolve) => {
      this.#closing.signal.addEventListener("abort", () => resolve("closed"), { once: true });
    });
    for (;;) {
      const next = await Promise.race([iterator.next(), closed]);
      if (next === "closed" || this.#closing.signal.aborted) {
        // One that waits answers when it is done waiting, which is nobody's concern any more.
        void Promise.resolve(iterator.return?.()).catch(() => {});
        return;
      }
      if (next.done === true) return;
      this.#take(next.value);
    }
  }

  /** @throws OptionError for what is no list */
  #take(list: unknown): void {
    const entries = this.#options.settings.read(list);
    this.#failures = 0;
    this.#options.told(entries);
  }

  #inTime<Answer>(answer: Answer | Promise<Answer>, patience: AbortController): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.after(patienceMs, () => {
        patience.abort();
        reject(new LbError("LB_ENDPOINTS", `It has told nothing for ${patienceMs} ms`));
      });
      Promise.resolve(answer).then(resolve, reject);
      void Promise.resolve(answer).then(timer.cancel, timer.cancel);
    });
  }
}

function isYielding(told: unknown): told is AsyncIterable<readonly BackendEndpoint[]> {
  return typeof told === "object" && told !== null && Symbol.asyncIterator in told;
}
