// What is made of the definitions of metrics (packages/core/src/admin/metrics/): their table in the documentation, alert rules, and a dashboard for Grafana.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Metric } from "../packages/core/src/admin/metrics/metric.ts";
import { metrics } from "../packages/core/src/admin/metrics/metrics.ts";
import { grafanaDashboard } from "./grafana-dashboard.ts";
import { markdown } from "./option-tables.ts";
import { prometheusRules } from "./prometheus-rules.ts";

const docs = join(import.meta.dirname, "../docs");

/** What is made, by where it is. */
export function metricPages(): Readonly<Record<string, string>> {
  const page = join(docs, "observability.md");
  return {
    [page]: withMetricTable(readFileSync(page, "utf8")),
    [join(docs, "prometheus-rules.yml")]: prometheusRules(),
    [join(docs, "grafana.json")]: grafanaDashboard(),
  };
}

function withMetricTable(page: string): string {
  const rows = metrics.map((metric) => [`\`${sampleName(metric)}\``, metric.type, labels(metric), metric.help]);
  const table = markdown({ head: ["metric", "type", "labels", ""], rows });
  return page.replace(/(<!-- metrics -->\n)[\s\S]*?(<!-- end -->)/, (_, begin, end) => `${begin}\n${table}\n${end}`);
}

function sampleName({ name, type }: Metric): string {
  return type === "counter" ? `${name}_total` : name;
}

function labels({ labels }: Metric): string {
  return labels.map((label) => `\`${label}\``).join(", ");
}

if (import.meta.main) for (const [path, text] of Object.entries(metricPages())) writeFileSync(path, text);
