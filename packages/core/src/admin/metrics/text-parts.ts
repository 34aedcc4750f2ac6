/** How metrics are written: the text format of Prometheus, or OpenMetrics 1.0. */
export type TextFormat = "prometheus" | "openmetrics";

/** Quotes are escaped in labels, and in OpenMetrics everywhere. */
export function escaped(text: string, format: TextFormat): string {
  const safe = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return format === "openmetrics" ? safe.replaceAll('"', '\\"') : safe;
}

/** The same in both formats, or a series would change its name with the format. */
export function floatText(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
