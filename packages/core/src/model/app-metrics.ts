/** The name and the value of a label. */
export type Label = readonly [name: string, value: string];

/** One sample of a metric, by what stands behind the metric's name: `""`, `"_sum"`, `"_count"` or `"_bucket"`. */
export interface AppSample {
  readonly suffix: "" | "_sum" | "_count" | "_bucket";
  readonly labels: readonly Label[];
  readonly value: number;
}

/** A metric of the app's own, as one process has it. */
export interface AppFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  /** How gauges of several processes are one, by prom-client's names. */
  readonly aggregator: string;
  readonly samples: readonly AppSample[];
}

/** One series of a metric of the app's, of one process or of all. Steps of a histogram: how many were up to `le`, in its order. */
export type AppSeries =
  | { readonly kind: "number"; readonly labels: readonly Label[]; readonly value: number }
  | ({ readonly kind: "histogram"; readonly steps: readonly (readonly [le: number, count: number])[] } & Summed)
  | ({
      readonly kind: "summary";
      readonly quantiles: readonly (readonly [quantile: string, value: number])[];
    } & Summed);

interface Summed {
  readonly labels: readonly Label[];
  readonly sum: number;
  readonly count: number;
}

/** A metric of the app's, of all its processes. */
export interface MergedFamily extends Omit<AppFamily, "samples" | "aggregator"> {
  readonly series: readonly AppSeries[];
}

/** What the instances' own metrics are together, and of how many there is nothing new. */
export interface MergedMetrics {
  readonly families: readonly MergedFamily[];
  /** Instances that told theirs, and those that did not in time. */
  readonly answered: number;
  readonly late: number;
  /** Series for which there was no room, or whose names are lb's own. */
  readonly dropped: number;
}
