import { type Alert, alertRules } from "../../model/alert.ts";
import type { InFlightStatus } from "../../model/in-flight-status.ts";
import { type Metric, type Sample, type Seen, single } from "./metric.ts";
import { version } from "./version.ts";

const alertStates = ["firing", "resolved", "passed"] as const satisfies readonly Alert["state"][];

const limitLabels = ["route", "backend"];

/** Limits with series of their own. */
const maxLimits = 200;

function ofLimits(of: (limit: InFlightStatus) => number) {
  return ({ status }: Seen): readonly Sample<number>[] =>
    status.limits.slice(0, maxLimits).map((one) => ({ labels: [one.route ?? "", one.backend ?? ""], value: of(one) }));
}

/** The cluster as a whole, and the endpoints of its named backends. */
export const clusterMetrics: readonly Metric[] = [
  {
    name: "lb_up",
    type: "gauge",
    help: "1 if the cluster is running: it is neither starting nor closing",
    labels: [],
    samples: ({ status }) => single(status.phase === "running" ? 1 : 0),
  },
  {
    name: "lb_build_info",
    type: "gauge",
    help: "1, with what the cluster is and runs on",
    labels: ["name", "version", "node", "mode", "strategy"],
    samples: ({ status: { name, mode, strategy } }) => [
      { labels: [name, version, process.version, mode, strategy], value: 1 },
    ],
  },
  {
    name: "lb_uptime_seconds",
    type: "gauge",
    help: "Time since all instances were ready for the first time",
    labels: [],
    samples: ({ status }) => single(status.uptimeMs / 1_000),
  },
  {
    name: "lb_in_flight",
    type: "gauge",
    help: "Requests and tunnels that are open at instances and endpoints",
    labels: [],
    samples: ({ status }) => single(status.traffic.inFlight),
  },
  {
    name: "lb_waiting",
    type: "gauge",
    help: "Requests that wait because no instance, or no endpoint of the backend, takes any",
    labels: ["backend"],
    samples: ({ status }) => [
      { labels: ["app"], value: status.waiting },
      ...status.backends.map(({ name, waiting }) => ({ labels: [name], value: waiting })),
    ],
  },
  {
    name: "lb_reloads",
    type: "counter",
    help: "Reloads and restarts that operators asked for, by what became of them",
    labels: ["result"],
    samples: ({ status: { tallies } }) =>
      Object.entries(tallies.reloads).map(([result, value]) => ({ labels: [result], value })),
  },
  {
    name: "lb_autoscalings",
    type: "counter",
    help: "Changes of size by the option autoscale",
    labels: [],
    samples: ({ status }) => single(status.tallies.autoscalings),
  },
  {
    name: "lb_alerts",
    type: "counter",
    help: "Alerts, by what was wrong and whether that began (firing), was over (resolved), or was over before it was said (passed)",
    labels: ["rule", "state"],
    samples: ({ status: { tallies } }) =>
      alertRules.flatMap((rule) =>
        alertStates.map((state) => ({ labels: [rule, state], value: tallies.alerts[rule]?.[state] ?? 0 })),
      ),
  },
  {
    name: "lb_in_flight_limit",
    type: "gauge",
    help: "Requests that may be in flight now by a maxRequestsInFlight, of a route, of a backend, or of all others",
    labels: limitLabels,
    samples: ofLimits(({ limit }) => limit),
  },
  {
    name: "lb_in_flight_limit_waiting",
    type: "gauge",
    help: "Requests that wait since as many are in flight as that allows",
    labels: limitLabels,
    samples: ofLimits(({ waiting }) => waiting),
  },
  {
    name: "lb_hub_messages",
    type: "counter",
    help: "Messages that instances have sent one another",
    labels: [],
    samples: ({ status }) => single(status.hub.messages),
  },
  {
    name: "lb_access_log_lines",
    type: "counter",
    help: "Lines of the access log, and those for which there was no room",
    labels: ["result"],
    samples: ({ status: { accessLog } }) =>
      accessLog === null
        ? []
        : [
            { labels: ["written"], value: accessLog.written },
            { labels: ["dropped"], value: accessLog.dropped },
          ],
  },
  {
    name: "lb_spans",
    type: "counter",
    help: "Spans of traces that their receiver has taken, and those that were lost",
    labels: ["result"],
    samples: ({ status: { tracing } }) =>
      tracing === null
        ? []
        : [
            { labels: ["exported"], value: tracing.exported },
            { labels: ["dropped"], value: tracing.dropped },
          ],
  },
  {
    name: "lb_certificate_expiry_timestamp_seconds",
    type: "gauge",
    help: "When the certificate expires, in seconds since 1970-01-01 UTC, by the first name that it is for",
    labels: ["certificate"],
    samples: ({ status }) => expiries(status.https?.certificates ?? []),
  },
  {
    name: "lb_backend_up",
    type: "gauge",
    help: "1 if the endpoint takes traffic",
    labels: ["backend", "endpoint"],
    samples: ofEndpoints(({ state }) => (state === "ready" ? 1 : 0)),
  },
  {
    name: "lb_backend_in_flight",
    type: "gauge",
    help: "Requests and tunnels that the front has open on the endpoint",
    labels: ["backend", "endpoint"],
    samples: ofEndpoints(({ inFlight }) => inFlight),
  },
  {
    name: "lb_backend_exits",
    type: "counter",
    help: "Processes that ended, of a backend that is a program here, by reason",
    labels: ["backend", "reason"],
    samples: ({ status: { tallies } }) =>
      Object.entries(tallies.backendExits).flatMap(([name, reasons]) =>
        Object.entries(reasons).map(([reason, value]) => ({ labels: [name, reason], value })),
      ),
  },
  {
    name: "lb_backend_ejections",
    type: "counter",
    help: "Times that endpoints of the backend were taken out of rotation for their health",
    labels: ["backend"],
    samples: ({ status: { backends, tallies } }) =>
      backends.map(({ name }) => {
        const ejections = Object.values(tallies.backendEjections[name] ?? {});
        return { labels: [name], value: ejections.reduce((sum, times) => sum + times, 0) };
      }),
  },
];

/** Endpoints of one backend with series of their own. */
const maxEndpoints = 200;

type EndpointStatus = Seen["status"]["backends"][number]["endpoints"][number];

/** A URL stands there twice while its program is replaced at the same port: what drains is left out. */
function ofEndpoints(of: (endpoint: EndpointStatus) => number) {
  return ({ status }: Seen): readonly Sample<number>[] =>
    status.backends.flatMap(({ name, endpoints }) => {
      const byUrl = new Map(endpoints.filter(({ state }) => state !== "draining").map((one) => [one.url, of(one)]));
      return [...byUrl].slice(0, maxEndpoints).map(([url, value]) => ({ labels: [name, url], value }));
    });
}

/** Of several for one name the first to expire. */
function expiries(certificates: NonNullable<Seen["status"]["https"]>["certificates"]): readonly Sample<number>[] {
  const earliest = new Map<string, number>();
  for (const { names, expiresAt } of certificates) {
    const [name, at] = [names[0] ?? "", Date.parse(expiresAt) / 1_000];
    earliest.set(name, Math.min(at, earliest.get(name) ?? at));
  }
  return [...earliest].map(([name, value]) => ({ labels: [name], value }));
}
