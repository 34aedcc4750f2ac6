import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { Clock } from "../model/clock.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import { MemoryLimit } from "../supervisor/memory-limit.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { Autoscaler } from "./autoscaler.ts";
import type { ClusterOperations } from "./cluster-operations.ts";
import type { ClusterState } from "./cluster-state.ts";

/** What operations are done by, where no operator does them. */
export interface UpkeepParts {
  readonly settings: ClusterSettings;
  readonly supervisor: Supervisor;
  readonly state: ClusterState;
  readonly operations: ClusterOperations;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly clock: Clock;
}

/** Restarts instances that have more memory than the settings allow, until the cluster closes: they end then. */
export function limitMemory({ settings, supervisor, operations, events, clock }: UpkeepParts): void {
  if (settings.maxMemoryMb === undefined) return;
  const limit = new MemoryLimit(settings.maxMemoryMb, clock, (instance, rssBytes) => {
    events.emit("memory-exceeded", { instance, rssBytes });
    return operations.restart(instance);
  });
  supervisor.subscribe((event) => {
    if (event.kind === "vitals" && !operations.closing) limit.check(event.endpoint, event.vitals.rssBytes);
  });
}

/** Changes the number of instances by their load, from when it begins. Undefined: the settings do not ask for it. */
export function clusterAutoscaler({ settings, state, operations, events, clock }: UpkeepParts): Autoscaler | undefined {
  if (settings.autoscale === undefined) return undefined;
  return new Autoscaler({
    settings: settings.autoscale,
    clock,
    status: () => state.status(),
    scale: (instances) => operations.scale(instances),
    told: (event) => events.emit("autoscale", event),
  });
}
