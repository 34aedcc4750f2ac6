import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { SupervisorEvent } from "../supervisor/events.ts";

/** What happens to the instances of a backend, as events of the cluster. Those of the app have events of their own. */
export function emitBackendEvent(
  events: ClusterEvents<ClusterEventMap>,
  backend: string,
  event: SupervisorEvent,
): void {
  switch (event.kind) {
    case "ready": {
      const { kind, instance, pid } = event;
      events.emit("backend-program", { backend, instance, event: { kind, pid } });
      return;
    }
    case "exit":
    case "start-failed":
    case "start-hint":
    case "crash-loop":
    case "unresponsive":
    case "responsive":
    case "agent-fault":
    case "broken":
    case "message":
      events.emit("backend-program", { backend, instance: event.instance, event });
      return;
    // What the status says already, and what is for those alone who route or measure.
    case "starting":
    case "draining":
    case "message-dropped":
    case "roster":
    case "vitals":
    case "metrics":
    case "doomed":
    case "ended":
      return;
    default:
      event satisfies never;
  }
}
