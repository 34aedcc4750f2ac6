import { Balancer } from "../balancer/balancer.ts";
import { RefusalNotices } from "../front/refusal-notice.ts";
import { HealthTracker } from "../health/tracker.ts";
import type { Clock } from "../model/clock.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { HealthSettings } from "../options/health-options.ts";
import type { PlaneFact } from "./plane-messages.ts";
import { strategiesTo } from "./plane-routes.ts";

/** The balancer of a cluster's instances, without any yet. It tells of their health, and of requests that nobody could take. */
export function planeBalancer(
  { strategy, health, queue, retryBudget, routes }: ClusterSettings,
  clock: Clock,
  tell: (fact: PlaneFact) => void,
): Balancer {
  const balancer = new Balancer({
    strategy,
    others: strategiesTo("app", routes),
    health: new HealthTracker({ settings: ofReadyInstances(health), clock }),
    clock,
    queue,
    retryBudget,
    refused: unservedRequests(clock, (reason, refused) => tell({ kind: "requests-refused", reason, refused })),
  });
  balancer.subscribe((event) => {
    switch (event.type) {
      case "health": {
        const { endpoint, from, to } = event;
        tell({ kind: "health", endpoint: endpoint.id, slot: endpoint.slot, from, to });
        return;
      }
      case "drained": {
        const { endpoint, requests, failures } = event;
        tell({ kind: "drained", endpoint: endpoint.id, slot: endpoint.slot, requests, failures });
        return;
      }
      case "roster":
      case "draining":
    }
  });
  return balancer;
}

type Reason = "queue-full" | "wait-timeout";

/** Told now and then, for each reason by itself. */
export function unservedRequests(clock: Clock, told: (reason: Reason, refused: number) => void) {
  const noticesOf = (reason: Reason) => new RefusalNotices(clock, (refused) => told(reason, refused));
  const notices = { "queue-full": noticesOf("queue-full"), "wait-timeout": noticesOf("wait-timeout") };
  return (reason: Reason) => notices[reason].note();
}

/** Instances of ours: those that are routed to have answered a probe already, where that is asked for. */
export function ofReadyInstances(health: HealthSettings): HealthSettings {
  const { active } = health;
  return active === false ? health : { ...health, active: { ...active, requireFirstProbe: false } };
}
