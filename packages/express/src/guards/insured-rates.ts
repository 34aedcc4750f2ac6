import type { Clock, LbError, Rate, RateReading, Rates } from "@lb/core";
import { GatewayError } from "../errors.ts";

export interface InsuredRatesOptions {
  readonly store: Rates;
  /** In place of a store that fails; undefined: nothing is. */
  readonly own: Rates | undefined;
  /** How long a request waits for the store. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly failed: (error: LbError) => void;
}

/** For how long a store that failed is not asked again. */
const restMs = 1_000;

/**
 * A store's rates, and while that fails or says nothing, this process's own: no request fails or waits for the store. Without
 * own ones, what is asked for rejects then with `LB_RATE_STORE`.
 */
export class InsuredRates implements Rates {
  readonly #options: InsuredRatesOptions;
  #restsUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: InsuredRatesOptions) {
    this.#options = options;
  }

  take(key: string, rate: Rate): Promise<RateReading> {
    return this.#ask((rates) => rates.take(key, rate));
  }

  adjust(key: string, rate: Rate, by: number): Promise<void> {
    return this.#ask((rates) => rates.adjust(key, rate, by));
  }

  async #ask<Told>(question: (rates: Rates) => Promise<Told>): Promise<Told> {
    const { store, own, clock, failed } = this.#options;
    if (clock.now() >= this.#restsUntilMs) {
      try {
        return await this.#inTime(question(store));
      } catch (cause) {
        this.#restsUntilMs = clock.now() + restMs;
        const message =
          own === undefined
            ? "The store of the rate limit failed; requests are refused until it answers again"
            : "The store of the rate limit failed; this process counts alone until it answers again";
        failed(new GatewayError("LB_RATE_STORE", message, { cause }));
      }
    }
    if (own !== undefined) return question(own);
    throw new GatewayError("LB_RATE_STORE", "The store of the rate limit does not answer", { retryAfterSeconds: 1 });
  }

  #inTime<Told>(reading: Promise<Told>): Promise<Told> {
    return new Promise((resolve, reject) => {
      const { patienceMs, clock } = this.#options;
      const giveUp = () => reject(new Error(`no answer within ${patienceMs} ms`));
      // After a time without a turn of the event loop the answer may be there, and not read yet.
      const timer = clock.after(patienceMs, () => void setImmediate(giveUp));
      reading.then(resolve, reject).finally(() => timer.cancel());
    });
  }
}
