import type { History } from "../facts/history.ts";
import type { TrafficCounts } from "../facts/traffic-counts.ts";
import type { Vitals } from "../ipc/messages.ts";
import type { ClusterStatus, Standing } from "./status.ts";
import type { Tallies } from "./tallies.ts";

/** All that can be seen of a cluster: metrics, pages, alerts and `lb monit` are made of it, and of the events. */
export interface ClusterSight {
  status(): ClusterStatus;
  standing(): Standing;
  /** Counted since the cluster began; the same numbers as in `status().traffic`, and whole histograms. */
  counts(): TrafficCounts;
  tallies(): Tallies;
  /** How the primary's own process is. Undefined: it was not measured yet. */
  readonly primary: Vitals | undefined;
  readonly history: History;
}
