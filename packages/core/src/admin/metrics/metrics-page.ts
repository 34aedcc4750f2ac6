import type { ClusterSight } from "../../control/cluster-sight.ts";
import type { MergedMetrics } from "../../model/app-metrics.ts";
import type { Page } from "../page.ts";
import { metrics } from "./metrics.ts";
import { formatFor } from "./negotiation.ts";
import { contentTypes, metricsText } from "./text-format.ts";

/** `gather`: the app's own, of all instances; undefined: they are left alone. */
export function metricsPage(
  sight: ClusterSight,
  gather: ((patienceMs?: number) => Promise<MergedMetrics>) | undefined,
): Page {
  return async ({ accept, patienceMs }) => {
    const format = formatFor(accept);
    const app = await gather?.(patienceMs);
    const seen = { status: sight.status(), counts: sight.counts(), app };
    return { status: 200, contentType: contentTypes[format], body: metricsText(metrics, seen, format) };
  };
}
