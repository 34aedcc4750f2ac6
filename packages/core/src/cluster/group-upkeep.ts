import type { InstanceStatus } from "../control/status.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import type { Clock } from "../model/clock.ts";
import type { AutoscaleSettings } from "../options/autoscale-options.ts";
import { MemoryLimit } from "../supervisor/memory-limit.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { Autoscaler } from "./autoscaler.ts";
import type { GroupOperations } from "./group-operations.ts";

/** What operations are done by, where no operator does them. */
export interface UpkeepParts {
  /** Whose program they run; undefined: it is the app. */
  readonly backend: string | undefined;
  readonly settings: {
    readonly maxMemoryMb?: number | undefined;
    readonly autoscale: AutoscaleSettings | undefined;
  };
  readonly supervisor: Supervisor;
  /** How they are. */
  readonly instances: () => readonly InstanceStatus[];
  readonly operations: GroupOperations;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly clock: Clock;
}

/** Restarts instances that have more memory than the settings allow, until the cluster closes: they end then. */
export function limitMemory({ backend, settings, supervisor, operations, events, clock }: UpkeepParts): void {
  if (settings.maxMemoryMb === undefined) return;
  const limit = new MemoryLimit(settings.maxMemoryMb, clock, (instance, rssBytes) => {
    events.emit("memory-exceeded", { ...(backend !== undefined && { backend }), instance, rssBytes });
    return operations.restart(instance);
  });
  supervisor.subscribe((event) => {
    if (event.kind === "vitals" && !operations.closing) limit.check(event.endpoint, event.vitals.rssBytes);
  });
}

/** Changes the number of instances by their load, from when it begins. Undefined: the settings do not ask for it. */
export function groupAutoscaler({
  backend,
  settings,
  instances,
  operations,
  events,
  clock,
}: UpkeepParts): Autoscaler | undefined {
  if (settings.autoscale === undefined) return undefined;
  return new Autoscaler({
    settings: settings.autoscale,
    clock,
    instances,
    scale: (size) => operations.scale(size),
    told: (event) => events.emit("autoscale", { ...(backend !== undefined && { backend }), ...event }),
  });
}
