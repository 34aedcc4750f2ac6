import type { AppFamily, AppSample, Label } from "../model/app-metrics.ts";

/** Longest text of one instance's metrics, and the most series in it. What is beyond that is left out by the instance. */
export const maxAppMetricsLength = 1_048_576;
export const maxAppSamples = 20_000;

/** A sample as it travels. */
type Sent = readonly [suffix: string, labels: Readonly<Record<string, string>>, value: number];

export type SentFamily = Omit<AppFamily, "samples"> & { readonly samples: readonly Sent[] };

const name = /^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$/;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]{0,99}$/;
const types: readonly unknown[] = ["counter", "gauge", "histogram", "summary"];
const suffixes: readonly unknown[] = ["", "_sum", "_count", "_bucket"];
const maxLabels = 32;
const maxTextLength = 1_024;

/** Families that are none are left out, as are samples that are none. Undefined: it is nothing of the kind. */
export function readAppMetrics(text: string): readonly AppFamily[] | undefined {
  if (text.length > maxAppMetricsLength) return undefined;
  try {
    const sent = JSON.parse(text) as unknown;
    if (!Array.isArray(sent)) return undefined;
    let left = maxAppSamples;
    const read: AppFamily[] = [];
    for (const raw of sent) {
      const family = familyOf(raw as Partial<SentFamily> | null, left);
      if (family === undefined) continue;
      left -= family.samples.length;
      read.push(family);
    }
    return read;
  } catch {
    return undefined;
  }
}

function familyOf(raw: Partial<SentFamily> | null, most: number): AppFamily | undefined {
  if (typeof raw !== "object" || raw === null || !Array.isArray(raw.samples)) return undefined;
  const { help, type, aggregator } = raw;
  if (typeof raw.name !== "string" || !name.test(raw.name) || !types.includes(type)) return undefined;
  return {
    name: raw.name,
    help: typeof help === "string" ? help.slice(0, maxTextLength) : "",
    type: type!,
    aggregator: typeof aggregator === "string" ? aggregator.slice(0, 32) : "sum",
    samples: (raw.samples as readonly unknown[]).slice(0, most).flatMap((one) => sampleOf(one) ?? []),
  };
}

function sampleOf(raw: unknown): AppSample | undefined {
  if (!Array.isArray(raw)) return undefined;
  const [suffix, given, value] = raw as readonly unknown[];
  if (!suffixes.includes(suffix) || typeof given !== "object" || given === null) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
  const labels: Label[] = [];
  for (const [key, text] of Object.entries(given)) {
    if (!labelName.test(key) || typeof text !== "string" || labels.length === maxLabels) return undefined;
    labels.push([key, text.slice(0, maxTextLength)]);
  }
  return { suffix: suffix as AppSample["suffix"], labels, value };
}
