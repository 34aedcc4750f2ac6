import type { Clock, LbError, Rate, RateReading, Rates } from "@lb/core";
import { GatewayError } from "../errors.ts";

export interface InsuredRatesOptions {
  readonly store: Rates;
  /** In place of a store that fails. */
  readonly own: Rates;
  /** How long a request waits for the store. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly failed: (error: LbError) => void;
}

/** For how long a store that failed is not asked again. */
const restMs = 1_000;

/** A store's rates, and while that fails or says nothing, this process's own: no request fails or waits for the store. */
export class InsuredRates implements Rates {
  readonly #options: InsuredRatesOptions;
  #restsUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: InsuredRatesOptions) {
    this.#options = options;
  }

  async take(key: string, rate: Rate): Promise<RateReading> {
    const { store, own, clock, failed } = this.#options;
    if (clock.now() < this.#restsUntilMs) return own.take(key, rate);
    try {
      return await this.#inTime(store.take(key, rate));
    } catch (cause) {
      this.#restsUntilMs = clock.now() + restMs;
      const message = "The store of the rate limit failed; this process counts alone until it answers again";
      failed(new GatewayError("LB_RATE_STORE", message, { cause }));
      return own.take(key, rate);
    }
  }

  #inTime(reading: Promise<RateReading>): Promise<RateReading> {
    return new Promise((resolve, reject) => {
      const { patienceMs, clock } = this.#options;
      const giveUp = () => reject(new Error(`no answer within ${patienceMs} ms`));
      // After a time without a turn of the event loop the answer may be there, and not read yet.
      const timer = clock.after(patienceMs, () => void setImmediate(giveUp));
      reading.then(resolve, reject).finally(() => timer.cancel());
    });
  }
}
