import type { ClusterSight } from "../../control/cluster-sight.ts";
import type { Page } from "../page.ts";
import { metrics } from "./metrics.ts";
import { formatFor } from "./negotiation.ts";
import { contentTypes, metricsText } from "./text-format.ts";

export function metricsPage(sight: ClusterSight): Page {
  return ({ accept }) => {
    const format = formatFor(accept);
    const seen = { status: sight.status(), counts: sight.counts() };
    return { status: 200, contentType: contentTypes[format], body: metricsText(metrics, seen, format) };
  };
}
