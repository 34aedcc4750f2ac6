import { describe, expect, test } from "vitest";
import type { ClusterStatus, InstanceStatus } from "../../control/status.ts";
import { trafficStatus } from "../../control/traffic-status.ts";
import { LatencyHistogram, latencyBoundsMs, latencyBucket } from "../../facts/latency-histogram.ts";
import { noRequests, type RequestCounts } from "../../facts/request-counts.ts";
import type { TrafficCounts } from "../../facts/traffic-counts.ts";
import type { Metric, Seen } from "./metric.ts";
import { metrics } from "./metrics.ts";
import { formatFor } from "./negotiation.ts";
import { metricBoundsMs, metricsText } from "./text-format.ts";

function requests(times: readonly number[] = []): RequestCounts {
  const total = new LatencyHistogram();
  for (const ms of times) total.note(ms, latencyBucket(ms));
  return { ...noRequests, app: { ...noRequests.app, "2xx": times.length }, total: total.counts };
}

const instance: InstanceStatus = {
  id: 1,
  port: 3001,
  pid: 7,
  state: "ready",
  restarts: 1,
  inFlight: 2,
  requests: 3,
  failures: 0,
  relayed: 0,
  droppedMessages: 0,
  vitals: { cpu: 0.5, rssBytes: 1_000, heapBytes: 500, loopUtilization: 0.25, loopLagMs: 12 },
  uptimeMs: 1_500,
  lastExit: null,
  retryInMs: null,
};

function seenOf(counted: Partial<TrafficCounts> = {}, routes: readonly string[] = []): Seen {
  const counts: TrafficCounts = { listeners: [], routes: {}, slots: {}, backends: {}, ...counted };
  const traffic = trafficStatus({ counts, routes, slots: [0], inFlight: 2, lastMinute: undefined });
  const status: ClusterStatus = {
    name: "shop",
    mode: "proxy",
    host: "127.0.0.1",
    port: 3000,
    https: null,
    url: "http://127.0.0.1:3000",
    listeners: [{ url: "http://127.0.0.1:3000", https: false, proxyProtocol: false }],
    admin: null,
    strategy: "least-connections",
    pid: 1,
    phase: "running",
    reload: null,
    uptimeMs: 2_000,
    answered: {},
    waiting: 0,
    limits: [],
    accessLog: null,
    tracing: null,
    traffic,
    vitals: instance.vitals,
    tallies: {
      exits: { 1: { crash: 2 } },
      backendExits: {},
      ejections: {},
      backendEjections: {},
      reloads: { finished: 1, "rolled-back": 0 },
      alerts: {},
      autoscalings: 0,
    },
    hub: { messages: 5, bytesIn: 50, bytesOut: 100, channels: 1 },
    instances: [instance],
    backends: [
      {
        name: "api",
        kind: "endpoints",
        waiting: 0,
        endpoints: [
          { url: "http://10.0.0.1", weight: 1, zone: null, state: "ready", inFlight: 0, requests: 0, failures: 0 },
        ],
        instances: [],
        reload: null,
      },
    ],
  };
  return { status, counts };
}

const text = (seen: Seen, format: "prometheus" | "openmetrics" = "prometheus") => metricsText(metrics, seen, format);

describe("histograms", () => {
  test("have buckets that end where finer ones do, so that no number in them is an estimate", () => {
    for (const bound of metricBoundsMs) expect(latencyBoundsMs).toContain(bound);
    const lines = text(seenOf({ routes: { "": requests([0.3, 1, 1.01, 700, 90_000, 200_000]) } }));
    for (const line of [
      'lb_request_duration_seconds_bucket{route="",le="0.001"} 2',
      'lb_request_duration_seconds_bucket{route="",le="0.0025"} 3',
      'lb_request_duration_seconds_bucket{route="",le="0.5"} 3',
      'lb_request_duration_seconds_bucket{route="",le="1.0"} 4',
      'lb_request_duration_seconds_bucket{route="",le="50.0"} 4',
      'lb_request_duration_seconds_bucket{route="",le="+Inf"} 6',
      'lb_request_duration_seconds_count{route=""} 6',
      'lb_request_duration_seconds_sum{route=""} 290.70231',
    ]) {
      expect(lines).toContain(`${line}\n`);
    }
  });
});

test("OpenMetrics has exemplars: in each bucket the last traced request, and of its route", () => {
  const exemplars = {
    "/api": [
      { traceId: "a".repeat(32), ms: 1, at: 1_764_000_000_000 },
      { traceId: "b".repeat(32), ms: 3, at: 1_764_000_000_000 },
      { traceId: "c".repeat(32), ms: 4.5, at: 1_764_000_000_125 },
      { traceId: "d".repeat(32), ms: 90_000, at: 1_764_000_000_000 },
    ],
  };
  const seen = seenOf({ routes: { "": requests([1]), "/api": requests([1, 3, 4.5, 90_000]) }, exemplars });
  const bucket = 'lb_request_duration_seconds_bucket{route="/api",le=';
  const shown = text(seen, "openmetrics");
  for (const line of [
    `${bucket}"0.001"} 1 # {trace_id="${"a".repeat(32)}"} 0.001 1764000000.000`,
    `${bucket}"0.0025"} 1`,
    `${bucket}"0.005"} 3 # {trace_id="${"c".repeat(32)}"} 0.0045 1764000000.125`,
    `${bucket}"+Inf"} 4 # {trace_id="${"d".repeat(32)}"} 90 1764000000.000`,
  ]) {
    expect(shown).toContain(`${line}\n`);
  }
  expect(shown.split("trace_id")).toHaveLength(4);
  expect(text(seen)).not.toContain("trace_id");
});

describe("BAD-INPUTS 186: with too many labels", () => {
  test("10,000 routes have series for the first of them, and their sum stays what it is", () => {
    const names = Array.from({ length: 10_000 }, (_, at) => `route ${at}`);
    const routes = Object.fromEntries(names.map((name) => [name, requests([1])]));
    const lines = text(seenOf({ routes }, names)).split("\n");
    expect(lines.length).toBeLessThan(10_000);
    const counted = lines.filter((line) => line.startsWith("lb_requests_total{"));
    expect(counted.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0)).toBe(10_000);
    expect(lines).toContain('lb_requests_total{route="(others)",status="2xx",answered_by="app"} 9800');
  });

  test("10,000 endpoints of a backend likewise", () => {
    const none = { retries: {}, connections: 0, tunnels: 0 };
    const api = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, at) => [`http://10.0.0.${at}`, { ...none, requests: requests([1]) }]),
    );
    const lines = text(seenOf({ backends: { api } })).split("\n");
    expect(lines.length).toBeLessThan(10_000);
    expect(lines).toContain('lb_backend_requests_total{backend="api",endpoint="",status="2xx"} 9800');
  });
});

test("BAD-INPUTS 185: what is in names ends no line and no label", () => {
  const name = 'a"b\\c\nd';
  const lines = text(seenOf({ routes: { [name]: requests([1]) } }, [name]));
  expect(lines).toContain('lb_requests_total{route="a\\"b\\\\c\\nd",status="2xx",answered_by="app"} 1\n');
});

test("every series is there once, and every metric has one name, a help and its base unit", () => {
  const lines = text(seenOf()).split("\n");
  const series = lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.replace(/ \S+$/, ""));
  expect(new Set(series).size).toBe(series.length);
  expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
  // What Prometheus itself calls the scraped one and the histogram's bounds.
  const reserved = new Set(["instance", "job", "le", "quantile"]);
  for (const { labels } of metrics as readonly Metric[])
    for (const each of labels) expect(reserved).not.toContain(each);
});

test("OpenMetrics has families without _total, units, and an end", () => {
  const lines = text(seenOf(), "openmetrics");
  expect(lines).toContain("# TYPE lb_requests counter\n");
  expect(lines).toContain("# UNIT lb_request_duration_seconds seconds\n");
  expect(lines.endsWith("\n# EOF\n")).toBe(true);
});

test.each([
  ["", "prometheus"],
  ["*/*", "prometheus"],
  ["text/html,application/xhtml+xml,*/*;q=0.8", "prometheus"],
  ["application/openmetrics-text", "openmetrics"],
  ["application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", "openmetrics"],
  ["application/openmetrics-text;version=2.0.0,text/plain;version=0.0.4;q=0.3", "prometheus"],
  ["text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4", "prometheus"],
  ["application/openmetrics-text;q=nonsense", "prometheus"],
])("who accepts %j gets %s", (accept, format) => {
  expect(formatFor(accept)).toBe(format);
});
