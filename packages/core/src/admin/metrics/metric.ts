import type { ClusterStatus } from "../../control/status.ts";
import type { LatencyCounts } from "../../facts/latency-histogram.ts";
import type { Exemplar, TrafficCounts } from "../../facts/traffic-counts.ts";
import type { MergedMetrics } from "../../model/app-metrics.ts";

/** What all metrics of one moment are made of. */
export interface Seen {
  readonly status: ClusterStatus;
  readonly counts: TrafficCounts;
  /** The app's own; undefined: they are not looked at. */
  readonly app?: MergedMetrics | undefined;
}

/** One series of a metric: the values of its labels, in their order, and its own. */
export interface Sample<Value> {
  readonly labels: readonly string[];
  readonly value: Value;
  /** Of a histogram: single ones of what it counts. */
  readonly exemplars?: readonly Exemplar[] | undefined;
}

interface Described {
  /** Of a counter without `_total`. */
  readonly name: string;
  /** One sentence, without a full stop. */
  readonly help: string;
  readonly labels: readonly string[];
}

/** All that is known of a metric: what is told of it, and where it comes from. Pages about metrics are made of these. */
export type Metric = Described &
  (
    | { readonly type: "counter" | "gauge"; readonly samples: (seen: Seen) => readonly Sample<number>[] }
    | { readonly type: "histogram"; readonly samples: (seen: Seen) => readonly Sample<LatencyCounts>[] }
  );

/** A metric without labels. */
export function single<Value>(value: Value | undefined): readonly Sample<Value>[] {
  return value === undefined ? [] : [{ labels: [], value }];
}
