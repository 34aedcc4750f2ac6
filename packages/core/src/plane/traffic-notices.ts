import { RefusalNotices } from "../front/refusal-notice.ts";
import type { ConnectionRefusal, TrafficObserver } from "../front/traffic-observer.ts";
import type { Clock } from "../model/clock.ts";
import type { PlaneFact } from "./plane-messages.ts";
import { sentError } from "./sent-error.ts";

/** What of a front's traffic is told. Refusals come in thousands; they are told now and then. */
export function trafficNotices(clock: Clock, tell: (notice: PlaneFact) => void): TrafficObserver {
  const limits = { connections: 0, descriptors: 0 };
  const notices = {
    connections: new RefusalNotices(clock, (refused) => {
      tell({ kind: "connections-refused", limit: limits.connections, refused });
    }),
    descriptors: new RefusalNotices(clock, (refused) => {
      tell({ kind: "accept-failed", error: sentError(exhausted(limits.descriptors, refused)) });
    }),
  };
  const floods = new RefusalNotices(clock, (stopped) => tell({ kind: "floods-stopped", stopped }));
  const handshakes = new RefusalNotices(clock, (refused) => tell({ kind: "handshakes-refused", refused }));
  const denials = new RefusalNotices(clock, (denied) => tell({ kind: "connections-denied", denied }));
  return {
    connectionDenied: () => denials.note(),
    floodStopped: () => floods.note(),
    handshakeFailed: (reason, times) => {
      if (reason === "crowded") handshakes.note(times);
    },
    acceptFailed: (error) => tell({ kind: "accept-failed", error: sentError(error) }),
    messageDropped: ({ slot }) => tell({ kind: "message-dropped", slot }),
    connectionsCannotMove: (detail) => tell({ kind: "cannot-move", detail }),
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
