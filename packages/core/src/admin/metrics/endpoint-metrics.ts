import type { LatencyCounts } from "../../facts/latency-histogram.ts";
import { noRequests, statusClasses, summedRequests } from "../../facts/request-counts.ts";
import type { EndpointCounts } from "../../facts/traffic-counts.ts";
import { capped } from "./capped.ts";
import type { Metric, Sample, Seen } from "./metric.ts";

/** Endpoints of one backend with series of their own; the others are counted together, as `""`. */
const maxEndpoints = 200;

const none: EndpointCounts = { requests: noRequests, retries: {}, connections: 0, tunnels: 0 };

type Counted = readonly [labels: readonly string[], counts: EndpointCounts];

/** What was tried at the app's instances, by their ids, over all their processes. */
export const instanceTrafficMetrics = trafficMetrics("lb_instance", ["id"], ({ status, counts }) => {
  // Those that were scaled away keep what was counted for them.
  const slots = new Set([...Object.keys(counts.slots).map(Number), ...status.instances.map(({ id }) => id - 1)]);
  return [...slots].map((slot) => [[String(slot + 1)], counts.slots[slot] ?? none]);
});

/** The same of the endpoints of named backends. */
export const backendTrafficMetrics = trafficMetrics("lb_backend", ["backend", "endpoint"], ({ status, counts }) =>
  status.backends.flatMap(({ name, endpoints }): readonly Counted[] => {
    const counted = counts.backends[name] ?? {};
    // In the order in which they were first asked: one that was not has nothing yet that could go back.
    const all = { ...counted, ...Object.fromEntries(endpoints.map(({ url }) => [url, counted[url] ?? none])) };
    const shown = capped(Object.entries(all), maxEndpoints, { name: "", joined: added });
    return shown.map(([url, counts]) => [[name, url], counts]);
  }),
);

function trafficMetrics(
  prefix: "lb_instance" | "lb_backend",
  labels: readonly string[],
  counted: (seen: Seen) => readonly Counted[],
): readonly Metric[] {
  const what = prefix === "lb_instance" ? "the instance" : "the endpoint";
  const samples =
    <Value>(samplesOf: (labels: readonly string[], counts: EndpointCounts) => readonly Sample<Value>[]) =>
    (seen: Seen) =>
      counted(seen).flatMap(([values, counts]) => samplesOf(values, counts));
  return [
    {
      name: `${prefix}_requests`,
      type: "counter",
      help: `Requests that have ended and for which ${what} was asked last, by the class of their status`,
      labels: [...labels, "status"],
      samples: samples((values, { requests: { app, front, unanswered } }) => [
        ...statusClasses.map((status) => ({ labels: [...values, status], value: app[status] + front[status] })),
        { labels: [...values, "none"], value: unanswered },
      ]),
    },
    {
      name: `${prefix}_request_duration_seconds`,
      type: "histogram",
      help: `Time from the head of a request to the end of its response, where ${what} was asked last`,
      labels,
      samples: samples<LatencyCounts>((values, { requests }) => [{ labels: values, value: requests.total }]),
    },
    {
      name: `${prefix}_retries`,
      type: "counter",
      help: `Attempts that came to nothing at ${what} and were made again, by cause`,
      labels: [...labels, "cause"],
      samples: samples((values, { retries }) =>
        Object.entries(retries).map(([cause, value]) => ({ labels: [...values, cause], value })),
      ),
    },
    {
      name: `${prefix}_tunnels`,
      type: "gauge",
      help: `WebSockets and the like that are open at ${what}`,
      labels,
      samples: samples((values, { tunnels }) => [{ labels: values, value: tunnels }]),
    },
    {
      name: `${prefix}_connections`,
      type: "gauge",
      help: `Connections of clients that ${what} has in hand-off mode`,
      labels,
      samples: samples((values, { connections }) => [{ labels: values, value: connections }]),
    },
  ];
}

function added(one: EndpointCounts, other: EndpointCounts): EndpointCounts {
  const causes = new Set([...Object.keys(one.retries), ...Object.keys(other.retries)]);
  return {
    requests: summedRequests([one.requests, other.requests]),
    retries: Object.fromEntries(
      [...causes].map((name) => [name, (one.retries[name] ?? 0) + (other.retries[name] ?? 0)]),
    ),
    connections: one.connections + other.connections,
    tunnels: one.tunnels + other.tunnels,
  };
}
