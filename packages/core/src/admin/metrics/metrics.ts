import { appMetrics } from "./app-metrics.ts";
import { clusterMetrics } from "./cluster-metrics.ts";
import { connectionMetrics } from "./connection-metrics.ts";
import { backendTrafficMetrics, instanceTrafficMetrics } from "./endpoint-metrics.ts";
import { instanceMetrics } from "./instance-metrics.ts";
import type { Metric } from "./metric.ts";
import { requestMetrics } from "./request-metrics.ts";

/** All metrics there are. */
export const metrics: readonly Metric[] = [
  ...clusterMetrics,
  ...requestMetrics,
  ...connectionMetrics,
  ...instanceMetrics,
  ...instanceTrafficMetrics,
  ...backendTrafficMetrics,
  ...appMetrics,
];
