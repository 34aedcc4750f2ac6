import type { ChildProcess } from "node:child_process";
import type { TrafficCounts, TrafficTotals } from "../facts/traffic-counts.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { PlaneFact, PlaneOrder, PlaneStatus } from "./plane-messages.ts";

/** The processes behind endpoints, by id: as handles travel beside a message, so do they. */
export type WorkerChannels = ReadonlyMap<string, ChildProcess>;

/**
 * Brings requests to instances: the public port, the balancer, affinities. Whoever starts and ends processes tells it by
 * orders who takes traffic, and hears by facts what shows there. Both are plain data, so that it need not be in this process.
 */
export interface TrafficPlane {
  /** `channels`: in hand-off mode, of the endpoints in the order. */
  send(order: PlaneOrder, channels?: WorkerChannels): void;
  /**
   * Goes by other settings from now on: requests that begin, on connections that are open, too. What is under way goes on as it began. Of the
   * settings those are looked at that can be changed in place; of backends, which endpoints they have is told by orders.
   */
  use(settings: ClusterSettings): void;
  /** Returns the unsubscribe call. */
  subscribe(listener: (fact: PlaneFact) => void): () => void;
  /** As it was when it last told. */
  status(): PlaneStatus;
  /** What has passed through it since it began. */
  counts(): TrafficCounts;
  /** Of all of it together, which costs less. */
  totals(): TrafficTotals;
}
