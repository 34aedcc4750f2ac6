import type { InstanceState, InstanceStatus } from "../../control/status.ts";
import type { WorkerVitals } from "../../ipc/messages.ts";
import type { Metric, Sample, Seen } from "./metric.ts";

const labels = ["backend", "id"];

/** The app's own instances are those of this backend, as in `cluster.backend("app")`. */
const app = "app";

const states: readonly InstanceState[] = [
  "starting",
  "ready",
  "draining",
  "drained",
  "unhealthy",
  "stopped",
  "crash-loop",
];

/** How instances are, those of the app and of backends that are programs here, whatever processes they have. */
export const instanceMetrics: readonly Metric[] = [
  {
    name: "lb_instance_up",
    type: "gauge",
    help: "1 if the instance takes traffic",
    labels,
    samples: ofInstances((values, { state }) => [{ labels: values, value: state === "ready" ? 1 : 0 }]),
  },
  {
    name: "lb_instance_state",
    type: "gauge",
    help: "1 for the state that the instance is in, 0 for the others",
    labels: [...labels, "state"],
    samples: ofInstances((values, { state }) =>
      states.map((one) => ({ labels: [...values, one], value: state === one ? 1 : 0 })),
    ),
  },
  {
    name: "lb_instance_in_flight",
    type: "gauge",
    help: "Requests and tunnels that the front has open on the instance",
    labels,
    samples: ofInstances((values, { inFlight }) => [{ labels: values, value: inFlight }]),
  },
  {
    name: "lb_instance_uptime_seconds",
    type: "gauge",
    help: "Time since the process of the instance became ready; 0 while it is not",
    labels,
    samples: ofInstances((values, { uptimeMs }) => [{ labels: values, value: uptimeMs / 1_000 }]),
  },
  {
    name: "lb_instance_sessions",
    type: "gauge",
    help: "Sessions of Engine.IO, Socket.IO's clients, that live in the instance, if it has had any",
    labels,
    samples: ofInstances((values, { vitals }) => vitalSample(values, vitals, ({ sessions }) => sessions)),
  },
  ...vitalMetrics("lb_instance", labels, "the instance", (of) =>
    ofInstances((values, { vitals }) => vitalSample(values, vitals, of)),
  ),
  ...vitalMetrics(
    "lb_primary",
    [],
    "the primary",
    (of) =>
      ({ status }) =>
        vitalSample([], status.vitals, of),
  ),
  {
    name: "lb_instance_exits",
    type: "counter",
    help: "Processes of the app's instances that ended, by reason",
    labels: ["id", "reason"],
    samples: ({ status: { tallies } }) =>
      Object.entries(tallies.exits).flatMap(([id, reasons]) =>
        Object.entries(reasons).map(([reason, value]) => ({ labels: [id, reason], value })),
      ),
  },
  {
    name: "lb_instance_ejections",
    type: "counter",
    help: "Times that an instance of the app was taken out of rotation for its health",
    labels: ["id"],
    samples: ({ status: { instances, tallies } }) => {
      const ids = new Set([...Object.keys(tallies.ejections), ...instances.map(({ id }) => String(id))]);
      return [...ids].map((id) => ({ labels: [id], value: tallies.ejections[Number(id)] ?? 0 }));
    },
  },
];

function ofInstances(samplesOf: (values: readonly string[], instance: InstanceStatus) => readonly Sample<number>[]) {
  return ({ status }: Seen): readonly Sample<number>[] =>
    [{ name: app, instances: status.instances }, ...status.backends].flatMap(({ name, instances }) =>
      instances.flatMap((instance) => samplesOf([name, String(instance.id)], instance)),
    );
}

type OfVitals = (vitals: WorkerVitals) => number | undefined;

/** What is not known of a process has no sample. */
function vitalSample(labels: readonly string[], vitals: WorkerVitals | null, of: OfVitals): readonly Sample<number>[] {
  const value = vitals === null ? undefined : of(vitals);
  return value === undefined ? [] : [{ labels, value }];
}

function vitalMetrics(
  prefix: string,
  labels: readonly string[],
  whose: string,
  samples: (of: OfVitals) => (seen: Seen) => readonly Sample<number>[],
): readonly Metric[] {
  const gauge = (name: string, help: string, of: OfVitals): Metric => ({
    name: `${prefix}_${name}`,
    type: "gauge",
    help,
    labels,
    samples: samples(of),
  });
  return [
    gauge("resident_memory_bytes", `Memory of the process of ${whose}`, ({ rssBytes }) => rssBytes),
    gauge("heap_bytes", `Heap that JavaScript uses in ${whose}`, ({ heapBytes }) => heapBytes),
    gauge("cpu_cores", `Processors that ${whose} uses, 1 being one of them all of the time`, ({ cpu }) => cpu),
    gauge(
      "event_loop_utilization_ratio",
      `Part of the time in which the event loop of ${whose} is busy`,
      ({ loopUtilization }) => loopUtilization,
    ),
    gauge(
      "event_loop_lag_seconds",
      `By how much the event loop of ${whose} was late at worst, since it was last measured`,
      ({ loopLagMs }) => (loopLagMs === undefined ? undefined : loopLagMs / 1_000),
    ),
  ];
}
