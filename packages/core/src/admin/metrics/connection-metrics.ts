import type { ListenerCounts } from "../../facts/listener-counts.ts";
import type { Metric, Sample, Seen } from "./metric.ts";

/** What came in, by the listener where it did. */
export const connectionMetrics: readonly Metric[] = [
  {
    name: "lb_connections_accepted",
    type: "counter",
    help: "Connections of clients that were accepted and not refused",
    labels: ["listener"],
    samples: ofListeners((listener, { accepted }) => [{ labels: [listener], value: accepted }]),
  },
  {
    name: "lb_connections_open",
    type: "gauge",
    help: "Connections of clients that are open at the front",
    labels: ["listener"],
    samples: ofListeners((listener, { open }) => [{ labels: [listener], value: open }]),
  },
  {
    name: "lb_connections_refused",
    type: "counter",
    help: "Connections of clients that were refused, by the limit that refused them",
    labels: ["listener", "reason"],
    samples: ofListeners((listener, { refused }) => byName(listener, refused)),
  },
  {
    name: "lb_handshakes",
    type: "counter",
    help: "Handshakes of TLS that were made: full ones, and those that went on with an earlier session",
    labels: ["listener", "kind"],
    samples: ofListeners((listener, { handshakes: { full, resumed } }) => byName(listener, { full, resumed })),
  },
  {
    name: "lb_handshakes_failed",
    type: "counter",
    help: "Handshakes of TLS that failed, by reason",
    labels: ["listener", "reason"],
    samples: ofListeners((listener, { handshakes }) => byName(listener, handshakes.failed)),
  },
  {
    name: "lb_bad_requests",
    type: "counter",
    help: "What came in place of requests and is none, answered with 400 and the like and in no count of requests",
    labels: ["listener"],
    samples: ofListeners((listener, { badHeads }) => [{ labels: [listener], value: badHeads }]),
  },
  {
    name: "lb_received_bytes",
    type: "counter",
    help: "Bytes that clients sent: heads, bodies and tunnels, without what TLS adds",
    labels: ["listener"],
    samples: ofListeners((listener, { bytesIn }) => [{ labels: [listener], value: bytesIn }]),
  },
  {
    name: "lb_sent_bytes",
    type: "counter",
    help: "Bytes that clients were sent: heads (not over HTTP/2), bodies and tunnels",
    labels: ["listener"],
    samples: ofListeners((listener, { bytesOut }) => [{ labels: [listener], value: bytesOut }]),
  },
];

function ofListeners(samplesOf: (listener: string, counts: ListenerCounts) => readonly Sample<number>[]) {
  return ({ status, counts }: Seen): readonly Sample<number>[] =>
    status.listeners.flatMap(({ url }, at) => {
      const known = counts.listeners[at];
      return known === undefined ? [] : samplesOf(url, known);
    });
}

function byName(listener: string, counts: Readonly<Record<string, number>>): readonly Sample<number>[] {
  return Object.entries(counts).map(([name, value]) => ({ labels: [listener, name], value }));
}
