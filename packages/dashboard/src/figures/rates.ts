import type { Sample } from "../api/status-feed.ts";

/** Counts that only grow while a cluster lives. */
export interface Counted {
  readonly requests: number;
  readonly failures: number;
}

export interface Rates {
  readonly requestsPerSecond: number;
  /** Of the requests of that time; undefined: there were none. */
  readonly failureShare: number | undefined;
}

/** From the oldest of some samples to the newest. Undefined: there are too few to tell. */
export function ratesOver(
  samples: readonly Sample[],
  countedIn: (status: Sample["status"]) => Counted | undefined,
): Rates | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.at <= first.at) return undefined;
  const [from, to] = [countedIn(first.status), countedIn(last.status)];
  return from === undefined || to === undefined ? undefined : ratesBetween(from, to, last.at - first.at);
}

/** What is younger than the first sample has counted all of it since; nothing ever counts less than 0. */
export function ratesBetween(from: Counted, to: Counted, ms: number): Rates {
  const requests = Math.max(0, to.requests - from.requests);
  const failures = Math.max(0, to.failures - from.failures);
  return {
    requestsPerSecond: (requests * 1_000) / ms,
    failureShare: requests === 0 ? undefined : Math.min(1, failures / requests),
  };
}

/** Those that failed, as the error rate of a cluster counts them: a 5xx, or a response that was cut. */
export function countedRequests(status: {
  readonly requests: number;
  readonly byStatus: { readonly "5xx": number };
  readonly cut: number;
}): Counted {
  return { requests: status.requests, failures: status.byStatus["5xx"] + status.cut };
}
