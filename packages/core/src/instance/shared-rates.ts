import { maxCounters } from "../hub/limits.ts";
import { type Rate, type RateReading, RateTable } from "../hub/rate-table.ts";
import { Operation } from "../hub/requests.ts";
import { type Clock, systemClock } from "../model/clock.ts";
import { OptionError } from "../model/errors.ts";
import { workerHub } from "../worker/hub-access.ts";
import { checkHubName } from "./hub-channels.ts";

/** Rates at which something may happen, each under a key of its own. */
export interface Rates {
  /** Takes one point, if there is one. */
  take(key: string, rate: Rate): Promise<RateReading>;
  /**
   * Has `key` have taken so many points more, or fewer if it is below 0, whether or not the rate allows them; `-Infinity`
   * forgets it. With `windowMs / points` as the pace, `n` points more keep it from another one for `n` times that.
   */
  adjust(key: string, rate: Rate, by: number): Promise<void>;
}

/**
 * Rates that all instances of the cluster share, exactly: the primary keeps them, at most 200,000 keys of all names
 * together; beyond that, the key goes that would be forgotten first.
 *
 * Promises reject with a {@link HubError}, as those of {@link sharedCounters} do, and with an {@link OptionError} for a key
 * of more than 1,024 bytes or a rate that is none.
 *
 * @throws OptionError for a name that is empty or has more than 1,024 bytes
 */
export function sharedRates(name: string): Rates {
  checkHubName("name", name);
  return {
    async take(key, rate) {
      checkHubName("key", key);
      checkRate(rate);
      const { points, windowMs, burst } = rate;
      const reply = await workerHub("sharedRates()").request(
        Operation.rateTake,
        [points, windowMs, burst],
        `${name}\0${key}`,
      );
      const [allowed, remaining, retryMs, resetMs] = reply.numbers(4) as [number, number, number, number];
      return { allowed: allowed === 1, remaining, retryMs, resetMs };
    },
    async adjust(key, rate, by) {
      checkHubName("key", key);
      checkRate(rate);
      checkAdjustment(by);
      const { points, windowMs } = rate;
      await workerHub("sharedRates()").request(Operation.rateAdjust, [points, windowMs, by], `${name}\0${key}`);
    },
  };
}

export interface LocalRatesOptions {
  /** Keys that are kept; beyond that, the one goes that would be forgotten first. Default 200,000. */
  readonly maxKeys?: number;
  readonly clock?: Clock;
}

/** The same within this process alone. */
export function localRates({ maxKeys = maxCounters, clock = systemClock }: LocalRatesOptions = {}): Rates {
  const table = new RateTable(maxKeys);
  return {
    async take(key, rate) {
      checkRate(rate);
      return table.take(key, rate, clock.now());
    },
    async adjust(key, rate, by) {
      checkRate(rate);
      checkAdjustment(by);
      table.adjust(key, rate, by, clock.now());
    },
  };
}

function checkRate({ points, windowMs, burst }: Rate): void {
  const isPositive = (value: number) => value > 0 && value < Number.POSITIVE_INFINITY;
  if (!isPositive(points)) throw new OptionError("points", points, "give a number greater than 0");
  if (!isPositive(windowMs)) throw new OptionError("windowMs", windowMs, "give milliseconds, more than 0");
  if (burst !== 0 && !isPositive(burst)) throw new OptionError("burst", burst, "give a number of at least 0");
}

function checkAdjustment(by: number): void {
  if (typeof by !== "number" || Number.isNaN(by) || by === Number.POSITIVE_INFINITY) {
    throw new OptionError("by", by, "give a number of points, below 0 to give some back");
  }
}
