import { type LatencyCounts, latencyBoundsMs } from "../../facts/latency-histogram.ts";
import type { Exemplar } from "../../facts/traffic-counts.ts";
import { appMetricLines } from "./app-text.ts";
import type { Metric, Seen } from "./metric.ts";
import { escaped, floatText, type TextFormat } from "./text-parts.ts";

export const contentTypes: Readonly<Record<TextFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** Where buckets end, in milliseconds. All of them end finer ones, too, so that nothing is estimated. */
export const metricBoundsMs = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000];

const bounds = metricBoundsMs.map((ms) => ({ ms, bucket: latencyBoundsMs.indexOf(ms), le: floatText(ms / 1_000) }));

export function metricsText(metrics: readonly Metric[], seen: Seen, format: TextFormat): string {
  const lines = metrics.flatMap((metric) => metricLines(metric, seen, format));
  lines.push(...appMetricLines(seen.app?.families ?? [], format));
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function metricLines(metric: Metric, seen: Seen, format: TextFormat): string[] {
  const { name, type, help } = metric;
  const sample = type === "counter" ? `${name}_total` : name;
  // In the older format a counter's name is that of its samples.
  const family = format === "openmetrics" ? name : sample;
  const lines = [`# HELP ${family} ${escaped(help, format)}`, `# TYPE ${family} ${type}`];
  const unit = /_(seconds|bytes)$/.exec(name)?.[1];
  if (format === "openmetrics" && unit !== undefined) lines.push(`# UNIT ${family} ${unit}`);
  if (metric.type === "histogram") {
    for (const { labels, value, exemplars } of metric.samples(seen)) {
      // The older format has no place for them.
      const shown = format === "openmetrics" ? exemplars : undefined;
      pushHistogram(lines, { name, labels: pairs(metric.labels, labels), value, exemplars: shown });
    }
  } else {
    for (const { labels, value } of metric.samples(seen)) {
      lines.push(`${sample}${inBraces(pairs(metric.labels, labels))} ${value}`);
    }
  }
  return lines;
}

interface HistogramSeries {
  readonly name: string;
  readonly labels: string;
  readonly value: LatencyCounts;
  readonly exemplars: readonly Exemplar[] | undefined;
}

function pushHistogram(lines: string[], { name, labels, value, exemplars }: HistogramSeries): void {
  const before = labels === "" ? "" : `${labels},`;
  let below = 0;
  let next = 0;
  let above = -1;
  for (const { bucket, le, ms } of bounds) {
    for (; next <= bucket; next++) below += value.buckets[next] ?? 0;
    lines.push(`${name}_bucket{${before}le="${le}"} ${below}${exemplarText(exemplars, above, ms)}`);
    above = ms;
  }
  lines.push(
    `${name}_bucket{${before}le="+Inf"} ${value.count}${exemplarText(exemplars, above, Number.POSITIVE_INFINITY)}`,
  );
  lines.push(`${name}_sum${inBraces(labels)} ${value.sumMs / 1_000}`);
  lines.push(`${name}_count${inBraces(labels)} ${value.count}`);
}

/** The latest of those that belong into the bucket; `""`: there is none. */
function exemplarText(exemplars: readonly Exemplar[] | undefined, aboveMs: number, toMs: number): string {
  let latest: Exemplar | undefined;
  for (const one of exemplars ?? []) {
    if (one.ms > aboveMs && one.ms <= toMs && one.at >= (latest?.at ?? 0)) latest = one;
  }
  if (latest === undefined) return "";
  return ` # {trace_id="${latest.traceId}"} ${latest.ms / 1_000} ${(latest.at / 1_000).toFixed(3)}`;
}

function inBraces(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function pairs(names: readonly string[], values: readonly string[]): string {
  return names.map((name, at) => `${name}="${escaped(values[at] ?? "", "openmetrics")}"`).join(",");
}
