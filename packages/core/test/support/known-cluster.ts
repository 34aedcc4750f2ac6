import { type Known, nothingKnown } from "../../src/cli/monit/known.ts";
import type { BackendStatus, ClusterStatus, InstanceStatus } from "../../src/control/status.ts";
import { rateStatus, trafficStatus } from "../../src/control/traffic-status.ts";
import { LatencyHistogram, latencyBucket } from "../../src/facts/latency-histogram.ts";
import { noRequests } from "../../src/facts/request-counts.ts";

export interface KnownParts {
  readonly name?: string;
  readonly instances?: number;
  readonly routes?: readonly string[];
  readonly backends?: readonly BackendStatus[];
  readonly lines?: readonly string[];
  readonly events?: readonly string[];
  readonly seconds?: number;
}

export function instanceOf(id: number, of: Partial<InstanceStatus> = {}): InstanceStatus {
  return {
    id,
    port: 3_000 + id,
    pid: 4_700 + id,
    state: "ready",
    restarts: 0,
    inFlight: 1,
    requests: 10,
    failures: 0,
    relayed: 0,
    droppedMessages: 0,
    vitals: { cpu: 0.25, rssBytes: 104_857_600, loopLagMs: 3, loopUtilization: 0.2, heapBytes: 1_000_000 },
    uptimeMs: 65_000,
    lastExit: null,
    retryInMs: null,
    ...of,
  };
}

/** A second of which all is known. */
function rate(requests: number, failures: number) {
  const histogram = new LatencyHistogram();
  for (let times = 0; times < requests; times++) histogram.note(12, latencyBucket(12));
  return rateStatus({ ms: 1_000, requests, failures, latency: histogram.counts, bytesIn: 1, bytesOut: 2 });
}

/** What `lb monit` knows of a cluster that it has watched for a while. */
export function knownCluster({
  name = "shop",
  instances = 3,
  routes = [],
  backends = [],
  lines = [],
  events = [],
  seconds = 60,
}: KnownParts = {}): Known {
  const ids = Array.from({ length: instances }, (_, at) => at + 1);
  const counts = {
    listeners: [],
    routes: Object.fromEntries(["", ...routes].map((route) => [route, noRequests])),
    slots: {},
    backends: {},
  };
  const status: Partial<ClusterStatus> = {
    name,
    mode: "proxy",
    strategy: "least-connections",
    pid: 4_700,
    phase: "running",
    uptimeMs: 65_000,
    reload: null,
    waiting: 0,
    listeners: [{ url: "http://127.0.0.1:3000", https: false, proxyProtocol: false }],
    instances: ids.map((id) => instanceOf(id)),
    backends,
    traffic: trafficStatus({
      counts,
      routes: [],
      slots: ids.map((id) => id - 1),
      inFlight: 3,
      lastMinute: undefined,
    }),
  };
  const spans = Array.from({ length: seconds }, (_, second) => ({
    at: 1_000_000 + second * 1_000,
    ms: 1_000,
    requests: second,
    failures: second === 30 ? 3 : 0,
    clientErrors: 0,
    ...rate(second, 0),
    inFlight: second % 5,
    waiting: 0,
    connections: 8,
    cpu: 0.5,
    rssBytes: 400_000_000,
    loopLagMs: 4,
  }));
  return {
    ...nothingKnown,
    link: { kind: "live" },
    status: status as ClusterStatus,
    recent: {
      ms: 10_000,
      total: rate(120, 0),
      instances: Object.fromEntries(ids.map((id) => [id, rate(40, 0)])),
      routes: Object.fromEntries(["", ...routes].map((route) => [route, rate(7, 1)])),
      backends: {},
    },
    spans,
    entries: events.map((message, at) => ({ id: at + 1, at: 1_000_000, event: "exit", level: "warn", message })),
    lines: lines.map((text, at) => ({ instance: (at % 3) + 1, pid: 1, stream: "stdout", text })),
  };
}
