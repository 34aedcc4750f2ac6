import { shownCertificate } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { PlaneFact } from "../plane/plane-messages.ts";
import { receivedError, receivedLbError } from "../plane/sent-error.ts";

/** What a traffic plane tells, as events of the cluster. */
export function emitTrafficEvent(events: ClusterEvents<ClusterEventMap>, fact: PlaneFact): void {
  switch (fact.kind) {
    case "health":
      events.emit("health", { instance: fact.slot + 1, from: fact.from, to: fact.to });
      return;
    case "backend-health": {
      const { backend, endpoint, from, to } = fact;
      events.emit("backend-health", { backend, endpoint, from, to });
      return;
    }
    case "endpoint-untrusted": {
      const { backend, endpoint, error, refused } = fact;
      events.emit("backend-untrusted", { backend, endpoint, error: receivedLbError(error), refused });
      return;
    }
    case "link-broken":
      events.emit("link-broken", {
        ...(fact.backend !== undefined && { backend: fact.backend }),
        instance: fact.slot + 1,
        error: receivedLbError(fact.error),
      });
      return;
    case "affinity-key-failed":
      events.emit("affinity-key-failed", receivedLbError(fact.error));
      return;
    case "accept-failed":
      events.emit("accept-failed", receivedError(fact.error));
      return;
    case "requests-refused": {
      const { kind: _kind, ...event } = fact;
      events.emit("requests-refused", event);
      return;
    }
    case "connections-refused":
      events.emit("connections-refused", { limit: fact.limit, refused: fact.refused });
      return;
    case "connections-denied":
      events.emit("connections-denied", { denied: fact.denied });
      return;
    case "requests-limited": {
      const { route, dryRun, limited } = fact;
      events.emit("requests-limited", { route, dryRun, limited });
      return;
    }
    case "request-quarantined": {
      const { kind: _kind, ...event } = fact;
      events.emit("request-quarantined", event);
      return;
    }
    case "rate-limit-key-failed":
      events.emit("rate-limit-key-failed", { error: receivedLbError(fact.error), failed: fact.failed });
      return;
    case "access-log-dropped": {
      const { error, dropped } = fact;
      events.emit("access-log-dropped", { ...(error !== undefined && { error: receivedError(error) }), dropped });
      return;
    }
    case "spans-dropped": {
      const { error, dropped } = fact;
      events.emit("spans-dropped", { ...(error !== undefined && { error: receivedError(error) }), dropped });
      return;
    }
    case "floods-stopped":
      events.emit("floods-stopped", { stopped: fact.stopped });
      return;
    case "handshakes-refused":
      events.emit("handshakes-refused", { refused: fact.refused });
      return;
    case "cannot-move":
      events.emit("cannot-move", { detail: fact.detail });
      return;
    case "certificates-renewed":
      events.emit("certificates-renewed", { certificates: fact.certificates.map(shownCertificate) });
      return;
    case "certificates-failed":
      events.emit("certificates-failed", receivedLbError(fact.error));
      return;
    case "answer":
    case "captured":
    case "estate":
    case "failed":
    case "drained":
    case "backend-drained":
    case "lost":
    case "message-dropped":
      return;
    default:
      fact satisfies never;
  }
}
