import type { AppSeries, Label, MergedFamily } from "../../model/app-metrics.ts";
import { escaped, floatText, type TextFormat } from "./text-parts.ts";

/** The metrics of the app's own, behind ours. Two that would have one name in a format are told as the first of them. */
export function appMetricLines(families: readonly MergedFamily[], format: TextFormat): string[] {
  const names = new Set<string>();
  return families.flatMap((family) => {
    const { name, type } = typed(family, format);
    if (names.has(name)) return [];
    names.add(name);
    const help = `# HELP ${name} ${escaped(family.help, format)}`;
    return [help, `# TYPE ${name} ${type}`, ...family.series.flatMap((series) => seriesLines(family.name, series))];
  });
}

/**
 * In OpenMetrics a counter's samples are called `_total`, and one that the app calls otherwise is none there: with that behind its
 * name it would be another series in one format than in the other.
 */
function typed({ name, type }: MergedFamily, format: TextFormat): { readonly name: string; readonly type: string } {
  if (format === "prometheus" || type !== "counter") return { name, type };
  return name.endsWith("_total") ? { name: name.slice(0, -"_total".length), type } : { name, type: "unknown" };
}

function seriesLines(name: string, series: AppSeries): string[] {
  const { labels } = series;
  if (series.kind === "number") return [`${name}${inBraces(labels)} ${series.value}`];
  const [sum, count] = [
    `${name}_sum${inBraces(labels)} ${series.sum}`,
    `${name}_count${inBraces(labels)} ${series.count}`,
  ];
  if (series.kind === "summary") {
    const each = series.quantiles.map(([at, value]) => `${name}${inBraces([...labels, ["quantile", at]])} ${value}`);
    return [...each, sum, count];
  }
  const buckets = series.steps.map(
    ([le, below]) => `${name}_bucket${inBraces([...labels, ["le", floatText(le)]])} ${below}`,
  );
  return [...buckets, `${name}_bucket${inBraces([...labels, ["le", "+Inf"]])} ${series.count}`, sum, count];
}

function inBraces(labels: readonly Label[]): string {
  if (labels.length === 0) return "";
  return `{${labels.map(([name, value]) => `${name}="${escaped(value, "openmetrics")}"`).join(",")}}`;
}
