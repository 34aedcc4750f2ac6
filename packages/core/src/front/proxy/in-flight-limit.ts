import type { Clock } from "../../model/clock.ts";
import type { InFlightStatus } from "../../model/in-flight-status.ts";
import type { WaitQueueSettings } from "../../options/queue-options.ts";
import { AdaptiveLimit, type AdaptiveLimitSettings } from "../../rates/adaptive-limit.ts";
import { CountedRequest, TimedRequest, type UnderWay } from "./under-way.ts";

/** `overload`: as many wait as a limit takes that follows the latency. */
export type InFlightRefusal = "queue-full" | "wait-timeout" | "overload";

export interface InFlightLimitOptions {
  readonly maxInFlight: number | AdaptiveLimitSettings;
  readonly queue: WaitQueueSettings;
  readonly clock: Clock;
  readonly refused: (reason: InFlightRefusal) => void;
}

/** A request that waits for others to end. One of the calls is made, unless it leaves before. */
export interface InFlightWaiter {
  enter(request: UnderWay): void;
  refuse(reason: InFlightRefusal): void;
}

/** How many requests may be in flight at a time; as many as the queue takes wait for them, in the order in which they came. */
export class InFlightLimit {
  #options: InFlightLimitOptions;
  #adaptive: AdaptiveLimit | undefined;
  readonly #counted: UnderWay;
  readonly #waiting = new Set<InFlightWaiter>();
  #inFlight = 0;
  #serving = false;

  constructor(options: InFlightLimitOptions) {
    this.#options = options;
    this.#adaptive = adaptiveOf(options);
    this.#counted = new CountedRequest(this);
  }

  /** Goes by these from now on, with those in flight and those who wait. */
  use(rules: Pick<InFlightLimitOptions, "maxInFlight" | "queue">): void {
    this.#options = { ...this.#options, ...rules };
    this.#adaptive = adaptiveOf(this.#options);
    this.#serve();
  }

  /** So many may be in flight now. */
  get most(): number {
    return this.#adaptive?.limit ?? (this.#options.maxInFlight as number);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get status(): InFlightStatus {
    const [adaptive, inFlight, waiting] = [this.#adaptive !== undefined, this.#inFlight, this.#waiting.size];
    return { limit: this.most, adaptive, inFlight, waiting };
  }

  /** Undefined: it has to wait. */
  take(): UnderWay | undefined {
    if (this.#inFlight >= this.most) return undefined;
    this.count();
    const { clock } = this.#options;
    return this.#adaptive === undefined ? this.#counted : new TimedRequest(this, this.#adaptive, clock);
  }

  /** Returns the call that leaves. A full queue refuses before that. */
  wait(waiter: InFlightWaiter): () => void {
    const { queue, clock, refused } = this.#options;
    const most = Math.min(queue.maxWaiting, this.#adaptive?.maxWaiting ?? Number.POSITIVE_INFINITY);
    if (this.#waiting.size >= most) {
      const reason = this.#adaptive === undefined ? "queue-full" : "overload";
      refused(reason);
      waiter.refuse(reason);
      return () => {};
    }
    const timer = clock.after(queue.maxWaitMs, () => {
      this.#waiting.delete(place);
      refused("wait-timeout");
      waiter.refuse("wait-timeout");
    });
    const place: InFlightWaiter = {
      enter: (request) => {
        timer.cancel();
        waiter.enter(request);
      },
      refuse: (reason) => waiter.refuse(reason),
    };
    this.#waiting.add(place);
    return () => {
      timer.cancel();
      this.#waiting.delete(place);
    };
  }

  /** One more is in flight, and owes a {@link release}. */
  count(): void {
    this.#inFlight++;
  }

  /** One has ended. Those that enter may end at once, which is no reason to go deeper. */
  release(): void {
    this.#inFlight--;
    this.#serve();
  }

  #serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    try {
      for (const place of this.#waiting) {
        const request = this.take();
        if (request === undefined) break;
        this.#waiting.delete(place);
        place.enter(request);
      }
    } finally {
      this.#serving = false;
    }
  }
}

function adaptiveOf({ maxInFlight }: InFlightLimitOptions): AdaptiveLimit | undefined {
  return typeof maxInFlight === "number" ? undefined : new AdaptiveLimit(maxInFlight);
}
