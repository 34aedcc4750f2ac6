import type { Clock } from "../../model/clock.ts";
import type { WaitQueueSettings } from "../../options/queue-options.ts";

export type InFlightRefusal = "queue-full" | "wait-timeout";

export interface InFlightLimitOptions {
  readonly maxInFlight: number;
  readonly queue: WaitQueueSettings;
  readonly clock: Clock;
  readonly refused: (reason: InFlightRefusal) => void;
}

/** A request that waits for others to end. One of the calls is made, unless it leaves before. */
export interface InFlightWaiter {
  /** It is in flight, and owes a {@link InFlightLimit.release}. */
  enter(): void;
  refuse(): void;
}

/** How many requests may be in flight at a time; as many as the queue takes wait for them, in the order in which they came. */
export class InFlightLimit {
  readonly #options: InFlightLimitOptions;
  readonly #waiting = new Set<InFlightWaiter>();
  #inFlight = 0;
  #serving = false;

  constructor(options: InFlightLimitOptions) {
    this.#options = options;
  }

  /** True: it is in flight, and owes a {@link release}. */
  take(): boolean {
    if (this.#inFlight >= this.#options.maxInFlight) return false;
    this.#inFlight++;
    return true;
  }

  /** Returns the call that leaves. A full queue refuses before that. */
  wait(waiter: InFlightWaiter): () => void {
    const { queue, clock, refused } = this.#options;
    if (this.#waiting.size >= queue.maxWaiting) {
      refused("queue-full");
      waiter.refuse();
      return () => {};
    }
    const timer = clock.after(queue.maxWaitMs, () => {
      this.#waiting.delete(place);
      refused("wait-timeout");
      waiter.refuse();
    });
    const place: InFlightWaiter = {
      enter: () => {
        timer.cancel();
        waiter.enter();
      },
      refuse: () => waiter.refuse(),
    };
    this.#waiting.add(place);
    return () => {
      timer.cancel();
      this.#waiting.delete(place);
    };
  }

  /** One has ended. Those that enter may end at once, which is no reason to go deeper. */
  release(): void {
    this.#inFlight--;
    if (this.#serving) return;
    this.#serving = true;
    try {
      for (const place of this.#waiting) {
        if (!this.take()) break;
        this.#waiting.delete(place);
        place.enter();
      }
    } finally {
      this.#serving = false;
    }
  }
}
