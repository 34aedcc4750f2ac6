import type { Clock, Timer } from "../../model/clock.ts";
import { isServerError } from "../../model/failure-conditions.ts";
import type { AdaptiveLimit } from "../../rates/adaptive-limit.ts";

/** Who counts requests that are under way. */
export interface UnderWayCount {
  readonly inFlight: number;
  count(): void;
  release(): void;
}

/** A request that counts among those in flight, and is told what becomes of it. */
export interface UnderWay {
  /** It is with an endpoint, or on its way there; `whole`: all of it. */
  attempted(whole: boolean): void;
  /** All of it has come. */
  whole(): void;
  /** The head of its response is there. */
  answered(status: number): void;
  /** Nothing more becomes of it. */
  over(): void;
}

/** Until its response is complete. One object for all of a limit: there is nothing to know of each. */
export class CountedRequest implements UnderWay {
  readonly #count: UnderWayCount;

  constructor(count: UnderWayCount) {
    this.#count = count;
  }

  attempted(): void {}

  whole(): void {}

  answered(): void {}

  over(): void {
    this.#count.release();
  }
}

/**
 * - `entering`: no endpoint has it yet;
 * - `coming`: an endpoint has the beginning of it;
 * - `slow`: that takes so long that it is the client's doing, and does not count;
 * - `timed`: an endpoint has all of it, and has not answered;
 * - `done`: it counts no more: how long a response is says nothing of the endpoint, and some never end.
 */
type State = "entering" | "coming" | "slow" | "timed" | "done";

/** A body that comes for longer does not keep others out. */
const uploadMs = 1_000;

/** While an endpoint is at it, and timed from when the endpoint has all of it. */
export class TimedRequest implements UnderWay {
  readonly #count: UnderWayCount;
  readonly #limit: AdaptiveLimit;
  readonly #clock: Clock;
  #state: State = "entering";
  #beganAt = 0;
  #watch = 0;
  #slow: Timer | undefined;

  constructor(count: UnderWayCount, limit: AdaptiveLimit, clock: Clock) {
    this.#count = count;
    this.#limit = limit;
    this.#clock = clock;
  }

  attempted(whole: boolean): void {
    if (whole) {
      this.whole();
      return;
    }
    if (this.#state !== "entering") return;
    this.#state = "coming";
    this.#slow = this.#clock.after(uploadMs, () => {
      this.#state = "slow";
      this.#count.release();
    });
  }

  whole(): void {
    if (this.#state === "done") return;
    this.#slow?.cancel();
    if (this.#state === "slow") this.#count.count();
    const now = this.#clock.now();
    if (this.#state === "timed") this.#limit.unanswered(this.#watch, now - this.#beganAt, now);
    this.#beganAt = now;
    this.#watch = this.#limit.began(this.#count.inFlight, now);
    this.#state = "timed";
  }

  answered(status: number): void {
    if (this.#state === "timed") {
      const now = this.#clock.now();
      const latencyMs = now - this.#beganAt;
      // Errors are quick, and say nothing of how long an answer takes.
      if (isServerError(status)) this.#limit.unanswered(this.#watch, latencyMs, now);
      else this.#limit.answered(this.#watch, latencyMs, now);
    }
    this.#end();
  }

  over(): void {
    if (this.#state === "timed") {
      const now = this.#clock.now();
      this.#limit.unanswered(this.#watch, now - this.#beganAt, now);
    }
    this.#end();
  }

  #end(): void {
    this.#slow?.cancel();
    const counts = this.#state !== "slow" && this.#state !== "done";
    this.#state = "done";
    if (counts) this.#count.release();
  }
}
