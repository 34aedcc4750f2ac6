import { addedLatencies, noLatencies } from "../../facts/latency-histogram.ts";
import { noRequests, type RequestCounts, statusClasses, summedRequests } from "../../facts/request-counts.ts";
import { otherRoutes, type TrafficCounts } from "../../facts/traffic-counts.ts";
import { capped } from "./capped.ts";
import { type Metric, type Sample, type Seen, single } from "./metric.ts";

/** Routes with series of their own, of which each has some thirty; the others are counted together. */
const maxRoutes = 200;

/** What became of requests, by the route that they took. */
export const requestMetrics: readonly Metric[] = [
  {
    name: "lb_requests",
    type: "counter",
    help: "Requests that have ended, by the class of their status and by who answered",
    labels: ["route", "status", "answered_by"],
    samples: ofRoutes((route, { app, front, unanswered }) => [
      ...statusClasses.map((status) => ({ labels: [route, status, "app"], value: app[status] })),
      ...statusClasses
        .filter((status) => status > "3" || front[status] > 0)
        .map((status) => ({ labels: [route, status, "front"], value: front[status] })),
      { labels: [route, "none", "nobody"], value: unanswered },
    ]),
  },
  {
    name: "lb_request_duration_seconds",
    type: "histogram",
    help: "Time from the head of a request to the end of its response; to the opening of a tunnel",
    labels: ["route"],
    samples: ofRoutes((route, { total }, { exemplars }) => [
      { labels: [route], value: total, exemplars: exemplars?.[route] },
    ]),
  },
  {
    name: "lb_request_first_byte_seconds",
    type: "histogram",
    help: "Time from the head of a request to the head of its response",
    labels: [],
    samples: ({ counts }) =>
      single(Object.values(counts.routes).reduce((sum, { firstByte }) => addedLatencies(sum, firstByte), noLatencies)),
  },
  {
    name: "lb_queue_wait_seconds",
    type: "histogram",
    help: "Time that requests waited for an instance or endpoint, of those that had to",
    labels: [],
    samples: ({ counts }) =>
      single(Object.values(counts.routes).reduce((sum, { queued }) => addedLatencies(sum, queued), noLatencies)),
  },
  counted("lb_request_attempts", "Instances and endpoints that were asked, again ones included", "attempts"),
  counted("lb_responses_cut", "Responses that were begun and whose end did not come", "cut"),
  counted("lb_clients_left", "Clients that left before their response was complete", "left"),
  counted(
    "lb_request_received_bytes",
    "Bytes of requests and of what clients sent by tunnels, heads included",
    "bytesIn",
  ),
  counted(
    "lb_request_sent_bytes",
    "Bytes of responses and of what clients were sent by tunnels, heads included",
    "bytesOut",
  ),
];

function counted(name: string, help: string, field: "attempts" | "cut" | "left" | "bytesIn" | "bytesOut"): Metric {
  const samples = ofRoutes((route, counts) => [{ labels: [route], value: counts[field] }]);
  return { name, type: "counter", help, labels: ["route"], samples };
}

function ofRoutes<Value>(
  samplesOf: (route: string, requests: RequestCounts, counts: TrafficCounts) => readonly Sample<Value>[],
) {
  return ({ status, counts }: Seen): readonly Sample<Value>[] => {
    // Those of the settings come first there, in their order.
    const all = Object.keys(status.traffic.routes).map((name) => [name, counts.routes[name] ?? noRequests] as const);
    const given = all.length === 0 ? [["", noRequests] as const] : all;
    const shown = capped(given, maxRoutes, { name: otherRoutes, joined: (one, other) => summedRequests([one, other]) });
    return shown.flatMap(([name, requests]) => samplesOf(name, requests, counts));
  };
}
