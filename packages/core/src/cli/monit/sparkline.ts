/** From nothing to the most there was. */
const steps = { unicode: "▁▂▃▄▅▆▇█", ascii: "_.:-=+*#" } as const;
export type Charset = keyof typeof steps;

/** What was measured at a time; `null`: nothing was to be measured. */
export interface Sample {
  readonly at: number;
  readonly value: number | null;
}

export interface SparklineSettings {
  readonly width: number;
  /** How much time it shows at most, the latest at the right. */
  readonly ms: number;
  readonly charset: Charset;
  /** Of what falls into one column: the most, or the mean. */
  readonly of: "most" | "mean";
}

/** A chart that is one line high. Columns are bound to the clock, so that they move on and do not flicker. */
export function sparkline(samples: readonly Sample[], { width, ms, charset, of }: SparklineSettings): string {
  const last = samples.at(-1);
  if (width <= 0) return "";
  if (last === undefined) return " ".repeat(width);
  const columnMs = columnMsFor(last.at - samples[0]!.at, width, ms);
  const end = Math.floor(last.at / columnMs);
  const columns = Array.from({ length: width }, (): (number | null)[] => []);
  for (const { at, value } of samples) columns[width - 1 - (end - Math.floor(at / columnMs))]?.push(value);
  // Samples are not quite a second apart: what falls beside a column stands in it as before.
  let before: number | undefined;
  const values = columns.map((some) => {
    const measured = some.filter((value) => value !== null);
    if (some.length > 0) before = of === "most" ? Math.max(0, ...measured) : mean(measured);
    return before;
  });
  const most = Math.max(...values.map((value) => value ?? 0));
  return values.map((value) => (value === undefined ? " " : step(value, most, charset))).join("");
}

const columnsMs = [1_000, 2_000, 3_000, 5_000, 10_000, 15_000, 20_000, 30_000, 40_000, 60_000];

/** As short as what is known so far allows, so that a chart that begins is one. */
function columnMsFor(knownMs: number, width: number, mostMs: number): number {
  const shownMs = Math.min(knownMs, mostMs);
  return columnsMs.find((columnMs) => columnMs * (width - 1) >= shownMs) ?? Math.ceil(mostMs / width);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Whatever is not nothing can be told from it. */
function step(value: number, most: number, charset: Charset): string {
  const signs = steps[charset];
  if (value <= 0 || most <= 0) return signs[0]!;
  return signs[Math.max(1, Math.round((value / most) * (signs.length - 1)))]!;
}
