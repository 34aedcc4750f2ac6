import { expect, test } from "vitest";
import { LatencyHistogram, latencyBucket } from "../facts/latency-histogram.ts";
import { noRequests, type RequestCounts } from "../facts/request-counts.ts";
import type { TrafficCounts } from "../facts/traffic-counts.ts";
import { RecentRates } from "./recent-traffic.ts";

/** So many requests since the beginning, of `ms` each. */
function counted(requests: number, ms: number): RequestCounts {
  const total = new LatencyHistogram();
  for (let times = 0; times < requests; times++) total.note(ms, latencyBucket(ms));
  return { ...noRequests, app: { ...noRequests.app, "2xx": requests }, total: total.counts };
}

const endpoint = (requests: RequestCounts) => ({ requests, retries: {}, connections: 0, tunnels: 0 });
const counts = (requests: number, ms = 5): TrafficCounts => ({
  listeners: [],
  routes: { "": counted(requests, ms) },
  slots: { 1: endpoint(counted(requests, ms)) },
  backends: { py: { "http://127.0.0.1:9": endpoint(counted(2 * requests, ms)) } },
});

test("one look says nothing, two say what was between them", () => {
  const rates = new RecentRates();
  expect(rates.note(counts(1_000), 0)).toBeUndefined();
  const recent = rates.note(counts(1_050), 1_000)!;
  expect([recent.ms, recent.total.requestsPerSecond, recent.routes[""]?.requestsPerSecond]).toEqual([1_000, 50, 50]);
  expect(recent.instances[2]?.requestsPerSecond).toBe(50);
  expect(recent.backends["py"]?.["http://127.0.0.1:9"]?.requestsPerSecond).toBe(100);
  expect(recent.instances[2]?.totalMs.p95).toBeCloseTo(5, 0);
});

test("what is older than ten seconds is forgotten", () => {
  const rates = new RecentRates();
  for (let second = 0; second <= 60; second++) rates.note(counts(second < 30 ? second * 100 : 3_000), second * 1_000);
  const recent = rates.note(counts(3_000), 61_000)!;
  expect([recent.ms, recent.total.requestsPerSecond, recent.total.totalMs.p95]).toEqual([10_000, 0, null]);
});

test("an instance that is new has had nothing before", () => {
  const rates = new RecentRates();
  rates.note({ ...counts(0), slots: {} }, 0);
  expect(rates.note(counts(7), 1_000)?.instances[2]?.requestsPerSecond).toBe(7);
});
