import type { Clock, Timer } from "../model/clock.ts";
import type { RetryBudgetSettings } from "../options/retry-budget-options.ts";

/** The window moves on in this many steps. */
const STEPS = 10;

/**
 * Limits retries to a share of the requests, so that retries cannot multiply the load of a backend that is failing
 * because of its load. A token bucket as Finagle's `RetryBudget`: a request adds `ratio` tokens, a retry takes one, and
 * both are forgotten after `ttlMs`. (gRPC's `retryThrottling` serves the same end.)
 */
export class RetryBudget {
  #settings: RetryBudgetSettings;
  readonly #clock: Clock;
  #reserve: number;
  /** Requests less what retries took, in requests, per step; a ring. */
  readonly #steps = new Float64Array(STEPS);
  #step = 0;
  #timer: Timer | undefined;

  constructor(settings: RetryBudgetSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#reserve = reserveOf(settings);
  }

  /** Goes by these from now on; what there is in it stays. */
  use(settings: RetryBudgetSettings): void {
    this.#settings = settings;
    this.#reserve = reserveOf(settings);
  }

  /** Counts a request. Reads no clock: it is called for every one of them. */
  deposit(): void {
    this.#steps[this.#step]! += 1;
    if (this.#timer === undefined) this.#awaitStep();
  }

  /** Takes a retry out of the budget; false, and nothing taken, if there is none left. */
  withdraw(): boolean {
    if (this.balance < 1) return false;
    this.#steps[this.#step]! -= 1 / this.#settings.ratio;
    if (this.#timer === undefined) this.#awaitStep();
    return true;
  }

  /** Retries that are left now. */
  get balance(): number {
    let requests = 0;
    for (const step of this.#steps) requests += step;
    return this.#reserve + requests * this.#settings.ratio;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The timer runs only while there is something to forget. */
  #awaitStep(): void {
    this.#timer = this.#clock.after(this.#settings.ttlMs / STEPS, () => {
      this.#timer = undefined;
      this.#step = (this.#step + 1) % STEPS;
      this.#steps[this.#step] = 0;
      if (this.#steps.some((step) => step !== 0)) this.#awaitStep();
    });
  }
}

function reserveOf({ minRetriesPerSecond, ttlMs }: RetryBudgetSettings): number {
  return (minRetriesPerSecond * ttlMs) / 1_000;
}
