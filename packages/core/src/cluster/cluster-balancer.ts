import { Balancer } from "../balancer/balancer.ts";
import type { ClusterEventMap, RequestsRefusedEvent } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import { RefusalNotices } from "../front/refusal-notice.ts";
import { HealthTracker } from "../health/tracker.ts";
import type { Clock } from "../model/clock.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { HealthSettings } from "../options/health-options.ts";

/** The balancer of a cluster's instances, without any yet. It tells of their health, and of requests that nobody could take. */
export function clusterBalancer(
  { strategy, health, queue, retryBudget }: ClusterSettings,
  events: ClusterEvents<ClusterEventMap>,
  clock: Clock,
): Balancer {
  const balancer = new Balancer({
    strategy,
    health: new HealthTracker({ settings: ofReadyInstances(health), clock }),
    clock,
    queue,
    retryBudget,
    refused: unservedRequests(clock, (notice) => events.emit("requests-refused", notice)),
  });
  balancer.subscribe((event) => {
    if (event.type !== "health") return;
    events.emit("health", { instance: event.endpoint.slot + 1, from: event.from, to: event.to });
  });
  return balancer;
}

/** Told now and then, for each reason by itself. */
function unservedRequests(clock: Clock, told: (event: RequestsRefusedEvent) => void) {
  const noticesOf = (reason: RequestsRefusedEvent["reason"]) =>
    new RefusalNotices(clock, (refused) => told({ reason, refused }));
  const notices = { "queue-full": noticesOf("queue-full"), "wait-timeout": noticesOf("wait-timeout") };
  return (reason: RequestsRefusedEvent["reason"]) => notices[reason].note();
}

/** Those that are routed to have answered a probe already, where that is asked for. */
function ofReadyInstances(health: HealthSettings): HealthSettings {
  const { active } = health;
  return active === false ? health : { ...health, active: { ...active, requireFirstProbe: false } };
}
