import type { HistorySpan } from "../api/types.ts";

/** One line in a chart. */
export interface Series {
  readonly label: string;
  /** The name of a colour of the page. */
  readonly colour: string;
  readonly of: (span: HistorySpan) => number | null;
}

/** As uPlot takes them: the times in seconds, then the values of each series; a gap where nothing was told for a while. */
export function columns(
  spans: readonly HistorySpan[],
  series: readonly Series[],
  spanMs: number,
): [number[], ...(number | null)[][]] {
  const times: number[] = [];
  const values = series.map((): (number | null)[] => []);
  let last = Number.POSITIVE_INFINITY;
  for (const span of spans) {
    if (span.at - last > spanMs * 3) {
      times.push((last + spanMs) / 1_000);
      for (const column of values) column.push(null);
    }
    last = span.at;
    times.push(span.at / 1_000);
    for (const [index, { of }] of series.entries()) values[index]!.push(of(span));
  }
  return [times, ...values];
}

/** What a chart shows, in words. */
export function summary(
  title: string,
  series: readonly Series[],
  spans: readonly HistorySpan[],
  shown: (value: number | null) => string,
): string {
  const last = spans.at(-1);
  if (last === undefined) return `${title}: nothing is known yet`;
  return `${title}: ${series.map(({ label, of }) => `${label} ${shown(of(last))}`).join(", ")}`;
}
