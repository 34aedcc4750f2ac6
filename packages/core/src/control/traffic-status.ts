import type { Span } from "../facts/history.ts";
import { type LatencyCounts, latencyQuantiles } from "../facts/latency-histogram.ts";
import type { ListenerCounts } from "../facts/listener-counts.ts";
import {
  type ClassCounts,
  noRequests,
  type RequestCounts,
  requestsIn,
  type StatusClass,
  statusClasses,
  summedRequests,
} from "../facts/request-counts.ts";
import type { EndpointCounts, TrafficCounts } from "../facts/traffic-counts.ts";

/** In milliseconds, off by a seventh at most; `null` where nothing was measured. */
export interface LatencyStatus {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** What became of requests since the cluster began. A request is counted when it ends, and when it becomes a tunnel. */
export interface RequestsStatus
  extends Pick<RequestCounts, "unanswered" | "cut" | "left" | "attempts" | "bytesIn" | "bytesOut"> {
  readonly requests: number;
  /** By the first digit of the status that the client got. */
  readonly byStatus: Readonly<Record<StatusClass, number>>;
  /** Of them, those that the front answered in place of the app. */
  readonly byFront: number;
  /** From the request's head to the head of its response. */
  readonly firstByteMs: LatencyStatus;
  /** To its end. */
  readonly totalMs: LatencyStatus;
  /** How many waited for an instance, and how long. */
  readonly queued: { readonly requests: number } & LatencyStatus;
}

/** What was tried at one endpoint, or at an instance's place over all its processes. */
export interface EndpointTraffic extends RequestsStatus {
  /** Attempts that came to nothing there and were made again, by cause. */
  readonly retries: Readonly<Record<string, number>>;
  /** In hand-off mode: connections that are open there now. */
  readonly connections: number;
  /** WebSockets and the like that are open now. */
  readonly tunnels: number;
}

/** The last minute, or since the cluster began. */
export interface RateStatus {
  readonly requestsPerSecond: number;
  /** Of the requests: those that were failures for their clients, which is a 5xx or a response that was cut; 0 to 1. */
  readonly failureShare: number;
  readonly totalMs: LatencyStatus;
  readonly bytesInPerSecond: number;
  readonly bytesOutPerSecond: number;
}

/** What has passed through the cluster. */
export interface TrafficStatus {
  readonly total: RequestsStatus;
  /** `null`: nothing is known yet. */
  readonly lastMinute: RateStatus | null;
  readonly inFlight: number;
  /** In the order of `listeners`. */
  readonly listeners: readonly ListenerCounts[];
  /** By the instances' ids. */
  readonly instances: Readonly<Record<number, EndpointTraffic>>;
  /** By route; `""`: requests that took none. */
  readonly routes: Readonly<Record<string, RequestsStatus>>;
  /** Of named backends, by name and by URL. */
  readonly backends: Readonly<Record<string, Readonly<Record<string, EndpointTraffic>>>>;
}

export interface TrafficStatusSources {
  readonly counts: TrafficCounts;
  /** Names of those that are to be there although they have no traffic. */
  readonly routes: readonly string[];
  readonly slots: readonly number[];
  readonly inFlight: number;
  readonly lastMinute: Span | undefined;
}

export function trafficStatus({ counts, routes, slots, inFlight, lastMinute }: TrafficStatusSources): TrafficStatus {
  const { listeners } = counts;
  const ofRoutes = { ...Object.fromEntries(routes.map((name) => [name, noRequests])), ...counts.routes };
  const ofSlots: Readonly<Record<string, EndpointCounts>> = {
    ...Object.fromEntries(slots.map((slot) => [slot, noEndpoint])),
    ...counts.slots,
  };
  return {
    total: requestsStatus(summedRequests(Object.values(counts.routes))),
    lastMinute: lastMinute === undefined ? null : rateStatus(lastMinute),
    inFlight,
    listeners,
    instances: Object.fromEntries(
      Object.entries(ofSlots).map(([slot, endpoint]) => [Number(slot) + 1, endpointTraffic(endpoint)]),
    ),
    routes: mapped(ofRoutes, requestsStatus),
    backends: mapped(counts.backends, (endpoints) => mapped(endpoints, endpointTraffic)),
  };
}

const noEndpoint: EndpointCounts = { requests: noRequests, retries: {}, connections: 0, tunnels: 0 };

function endpointTraffic({ requests, retries, connections, tunnels }: EndpointCounts): EndpointTraffic {
  return { ...requestsStatus(requests), retries, connections, tunnels };
}

/** Quantiles are searched for once, for all who look at the same counts. */
const known = new WeakMap<RequestCounts, RequestsStatus>();

export function requestsStatus(counts: RequestCounts): RequestsStatus {
  let status = known.get(counts);
  if (status === undefined) {
    status = statusOf(counts);
    known.set(counts, status);
  }
  return status;
}

function statusOf(counts: RequestCounts): RequestsStatus {
  const { app, front, unanswered, cut, left, attempts, bytesIn, bytesOut, firstByte, total, queued } = counts;
  const sum = (classes: ClassCounts) => statusClasses.reduce((all, name) => all + classes[name], 0);
  return {
    requests: requestsIn(counts),
    byStatus: Object.fromEntries(statusClasses.map((name) => [name, app[name] + front[name]])) as Record<
      StatusClass,
      number
    >,
    byFront: sum(front),
    unanswered,
    cut,
    left,
    attempts,
    bytesIn,
    bytesOut,
    firstByteMs: latencyStatus(firstByte),
    totalMs: latencyStatus(total),
    queued: { requests: queued.count, ...latencyStatus(queued) },
  };
}

export function rateStatus({
  ms,
  requests,
  failures,
  latency,
  bytesIn,
  bytesOut,
}: Pick<Span, "ms" | "requests" | "failures" | "latency" | "bytesIn" | "bytesOut">): RateStatus {
  const perSecond = (count: number) => rounded((count * 1_000) / ms);
  return {
    requestsPerSecond: perSecond(requests),
    failureShare: requests === 0 ? 0 : failures / requests,
    totalMs: latencyStatus(latency),
    bytesInPerSecond: perSecond(bytesIn),
    bytesOutPerSecond: perSecond(bytesOut),
  };
}

function latencyStatus(latency: LatencyCounts): LatencyStatus {
  const [p50, p95, p99] = latencyQuantiles(latency, [0.5, 0.95, 0.99]).map((ms) => (ms === null ? null : rounded(ms)));
  return { p50: p50!, p95: p95!, p99: p99! };
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function mapped<From, To>(from: Readonly<Record<string, From>>, to: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, to(value)]));
}
