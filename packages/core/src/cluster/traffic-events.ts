import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import { RefusalNotices } from "../front/refusal-notice.ts";
import type { ConnectionRefusal, TrafficObserver } from "../front/traffic-observer.ts";
import type { Clock } from "../model/clock.ts";

/** What of a front's traffic is an event of the cluster. Refusals come in thousands; they are told now and then. */
export function trafficEvents(events: ClusterEvents<ClusterEventMap>, clock: Clock): TrafficObserver {
  const limits = { connections: 0, descriptors: 0 };
  const notices = {
    connections: new RefusalNotices(clock, (refused) => {
      events.emit("connections-refused", { limit: limits.connections, refused });
    }),
    descriptors: new RefusalNotices(clock, (refused) => {
      events.emit("accept-failed", exhausted(limits.descriptors, refused));
    }),
  };
  return {
    acceptFailed: (error) => events.emit("accept-failed", error),
    connectionsCannotMove: (detail) => events.emit("cannot-move", { detail }),
    connectionRefused(refusal: ConnectionRefusal) {
      if (refusal.reason === "connections-per-address") return;
      limits[refusal.reason] = refusal.limit;
      notices[refusal.reason].note();
    },
  };
}

function exhausted(limit: number, refused: number): Error {
  const message =
    `EMFILE: ${limit} of this process's file descriptors are in use, and the rest is not for clients: they are refused ` +
    `with 503 (${refused} since this was last told). Raise the limit (ulimit -n, LimitNOFILE=), or lower the option ` +
    "limits.maxConnections";
  return Object.assign(new Error(message), { code: "EMFILE" });
}
