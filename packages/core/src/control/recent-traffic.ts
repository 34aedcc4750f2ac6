import { latenciesSince } from "../facts/latency-histogram.ts";
import { failuresIn, noRequests, type RequestCounts, requestsIn, summedRequests } from "../facts/request-counts.ts";
import type { TrafficCounts } from "../facts/traffic-counts.ts";
import { type RateStatus, rateStatus } from "./traffic-status.ts";

/** What passed in the last seconds. Plain JSON. */
export interface RecentTraffic {
  /** Over how long. */
  readonly ms: number;
  readonly total: RateStatus;
  /** By the instances' ids. */
  readonly instances: Readonly<Record<number, RateStatus>>;
  readonly routes: Readonly<Record<string, RateStatus>>;
  /** Of named backends, by name and URL. */
  readonly backends: Readonly<Record<string, Readonly<Record<string, RateStatus>>>>;
}

/** Long enough to have a 95th percentile of some hundred requests, short enough to be called now. */
const windowMs = 10_000;

interface Counted {
  readonly at: number;
  readonly counts: TrafficCounts;
  readonly total: RequestCounts;
}

/** Makes rates of what is counted from time to time. Remembers ten seconds of it. */
export class RecentRates {
  #before: Counted[] = [];

  /** Undefined: nothing can be said yet. */
  note(counts: TrafficCounts, now: number): RecentTraffic | undefined {
    const last: Counted = { at: now, counts, total: summedRequests(Object.values(counts.routes)) };
    // One that is as old as the window, or older.
    const first = this.#before.findLastIndex(({ at }) => now - at >= windowMs);
    this.#before = [...this.#before.slice(Math.max(0, first)), last];
    const [oldest] = this.#before;
    return oldest === undefined || oldest === last ? undefined : between(oldest, last);
  }
}

function between(before: Counted, now: Counted): RecentTraffic {
  const ms = Math.max(1, now.at - before.at);
  const rate = (counts: RequestCounts, earlier: RequestCounts = noRequests): RateStatus =>
    rateStatus({
      ms,
      requests: requestsIn(counts) - requestsIn(earlier),
      failures: failuresIn(counts) - failuresIn(earlier),
      latency: latenciesSince(earlier.total, counts.total),
      bytesIn: counts.bytesIn - earlier.bytesIn,
      bytesOut: counts.bytesOut - earlier.bytesOut,
    });
  const { slots, routes, backends } = now.counts;
  const old = before.counts;
  return {
    ms: Math.round(ms),
    total: rate(now.total, before.total),
    instances: Object.fromEntries(
      Object.entries(slots).map(([slot, { requests }]) => [
        Number(slot) + 1,
        rate(requests, old.slots[Number(slot)]?.requests),
      ]),
    ),
    routes: Object.fromEntries(Object.entries(routes).map(([name, counts]) => [name, rate(counts, old.routes[name])])),
    backends: Object.fromEntries(
      Object.entries(backends).map(([name, endpoints]) => [
        name,
        Object.fromEntries(
          Object.entries(endpoints).map(([url, { requests }]) => [
            url,
            rate(requests, old.backends[name]?.[url]?.requests),
          ]),
        ),
      ]),
    ),
  };
}
