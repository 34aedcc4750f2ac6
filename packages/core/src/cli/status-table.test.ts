import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { ClusterStatus } from "../control/status.ts";
import { trafficStatus } from "../control/traffic-status.ts";
import type { Span } from "../facts/history.ts";
import { LatencyHistogram, latencyBucket } from "../facts/latency-histogram.ts";
import { noRequests } from "../facts/request-counts.ts";
import { statusTable } from "./status-table.ts";

function latencies(...times: readonly number[]) {
  const histogram = new LatencyHistogram();
  for (const time of times) histogram.note(time, latencyBucket(time));
  return histogram.counts;
}

const requests = { ...noRequests, app: { ...noRequests.app, "2xx": 995, "5xx": 5 }, total: latencies(1.5, 1.5, 2_000) };

const lastMinute: Span = {
  at: 0,
  ms: 60_000,
  requests: 600,
  failures: 6,
  clientErrors: 0,
  bytesIn: 0,
  bytesOut: 0,
  latency: latencies(...new Array<number>(95).fill(1.45), ...new Array<number>(5).fill(240)),
  inFlight: 0,
  waiting: 0,
  connections: 0,
  cpu: 0,
  rssBytes: 0,
  loopLagMs: 0,
};

function shown(
  routes: Record<string, typeof noRequests>,
  of: { readonly lastMinute?: Span; readonly waiting?: number },
) {
  const counts = { listeners: [], routes, slots: {}, backends: {} };
  const traffic = trafficStatus({ counts, routes: [], slots: [], inFlight: 3, lastMinute: of.lastMinute });
  const facts = { name: "shop", mode: "proxy", strategy: "least-connections", pid: 7, phase: "running", uptimeMs: 1 };
  const status = {
    ...facts,
    reload: null,
    waiting: of.waiting ?? 0,
    listeners: [],
    instances: [],
    backends: [],
    traffic,
  };
  return stripVTControlCharacters(statusTable(status as unknown as ClusterStatus))
    .split("\n")
    .slice(1);
}

test("says how much passes, how fast, and what fails", () => {
  expect(shown({ "": requests }, { lastMinute, waiting: 2 })).toEqual([
    "10 requests/s, 1 % failed  p50 1.5 ms, p95 1.6 ms, p99 245 ms  3 in flight, 2 waiting  (last minute; since the start 1000 requests, 5 with 5xx)",
  ]);
});

test("says nothing of traffic before there was any", () => {
  expect(shown({}, {})).toEqual([]);
});

test("has a line for each route, where there are routes", () => {
  expect(shown({ "/api": requests, "": noRequests }, {})).toEqual([
    "1000 requests, 5 with 5xx  3 in flight",
    "",
    "route       requests  4xx  5xx     p50  p95",
    "/api            1000    0    5  1.6 ms  2 s",
    "(no route)         0    0    0       -    -",
  ]);
});
