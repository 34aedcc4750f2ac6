// A dashboard for Grafana, of metrics that there are: docs/grafana.json.
import type { Metric } from "../packages/core/src/admin/metrics/metric.ts";
import { metrics } from "../packages/core/src/admin/metrics/metrics.ts";
import { type Panel, type Query, rows } from "./grafana-panels.ts";

/** Rows are of 24 columns. */
const columns = 24;
const usualWidth = 8;
const heights = { timeseries: 8, stat: 4 };

const source = { type: "prometheus", uid: "$source" };
/** What is chosen above all panels. */
const chosen = 'job=~"$job",instance=~"$instance"';

/** @throws Error for a query about a metric, or a label of one, that there is not */
export function grafanaDashboard(): string {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: inRow } of rows) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    });
    y += 1;
    let [x, height] = [0, 0];
    for (const panel of inRow) {
      const [w, h] = [panel.width ?? usualWidth, heights[panel.kind ?? "timeseries"]];
      if (x + w > columns) [x, y, height] = [0, y + height, 0];
      panels.push({ id: panels.length + 1, ...shown(panel), gridPos: { x, y, w, h } });
      x += w;
      height = Math.max(height, h);
    }
    y += height;
  }
  const dashboard = {
    title: "lb",
    uid: "lb-cluster",
    tags: ["lb"],
    description: "Made by `pnpm docs:metrics`.",
    schemaVersion: 39,
    editable: true,
    refresh: "10s",
    time: { from: "now-1h", to: "now" },
    timezone: "browser",
    templating: {
      list: [
        { name: "source", type: "datasource", query: "prometheus", label: "Source" },
        variable("job", "label_values(lb_up, job)"),
        variable("instance", 'label_values(lb_up{job=~"$job"}, instance)'),
      ],
    },
    panels,
  };
  // As the formatter has it: lists of one stand on one line.
  const text = JSON.stringify(dashboard, null, 2).replace(/\[\s+("[^"\n]*")\s+\]/g, "[$1]");
  return `${text}\n`;
}

function variable(name: string, query: string): object {
  const all = { includeAll: true, multi: true, current: { text: "All", value: "$__all" } };
  return { name, type: "query", datasource: source, query: { query, refId: name }, refresh: 2, sort: 1, ...all };
}

function shown({ title, unit, queries, kind = "timeseries", stacked = false, mayBeEmpty }: Panel): object {
  const custom =
    kind === "stat" ? {} : { fillOpacity: 10, showPoints: "never", stacking: { mode: stacked ? "normal" : "none" } };
  return {
    type: kind,
    title,
    ...(mayBeEmpty !== undefined && { description: `Empty: ${mayBeEmpty}.` }),
    datasource: source,
    fieldConfig: { defaults: { unit, min: 0, custom }, overrides: [] },
    options:
      kind === "stat" ? { reduceOptions: { calcs: ["lastNotNull"] } } : { tooltip: { mode: "multi", sort: "desc" } },
    targets: queries.map((query, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: source,
      expr: checked(query, title).replaceAll("$sel", chosen),
      legendFormat: query.legend,
    })),
  };
}

/** What samples of a metric are called. */
function samplesOf({ name, type }: Metric): readonly string[] {
  if (type === "counter") return [`${name}_total`];
  return type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

function checked({ expr, legend }: Query, title: string): string {
  const used = [...expr.matchAll(/\blb_\w+/g)].map(([name]) => name);
  const labels = new Set(["le", "job", "instance"]);
  for (const name of used) {
    const metric = metrics.find((one) => samplesOf(one).includes(name));
    if (metric === undefined) throw new Error(`${title}: there is no metric ${name}`);
    if (!expr.includes(`${name}{$sel`)) throw new Error(`${title}: ${name} of all clusters`);
    for (const label of metric.labels) labels.add(label);
  }
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) =>
    list!.split(",").map((one) => one.trim()),
  );
  const matched = [...expr.matchAll(/,(\w+)!?=~?"/g)].map(([, label]) => label!);
  const named = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
  for (const label of [...grouped, ...matched, ...named]) {
    if (!labels.has(label)) throw new Error(`${title}: ${used.join(", ")} has no label ${label}`);
  }
  return expr;
}
