import type { WorkerEvent } from "../supervisor/events.ts";
import type { ClusterEventMap } from "./cluster-event-map.ts";
import type { ClusterEvents } from "./cluster-events.ts";

/** Tells the cluster's listeners what the supervisor tells, but for what the `instance` event says already, and what is told now and then. */
export function emitWorkerEvent(events: ClusterEvents<ClusterEventMap>, event: WorkerEvent): void {
  switch (event.kind) {
    case "starting":
    case "ready":
    case "draining":
    case "message-dropped":
      return;
    case "responsive":
      events.emit("responsive", event);
      return;
    case "start-hint":
      events.emit("start-hint", event);
      return;
    case "unresponsive":
      events.emit("unresponsive", event);
      return;
    case "exit":
      events.emit("exit", event);
      return;
    case "start-failed":
      events.emit("start-failed", event);
      return;
    case "crash-loop":
      events.emit("crash-loop", event);
      return;
    case "agent-fault":
      events.emit("agent-fault", event);
      return;
    case "broken":
      events.emit("link-broken", { instance: event.instance, error: event.error });
      return;
    case "message":
      events.emit("message", event);
      return;
  }
}
