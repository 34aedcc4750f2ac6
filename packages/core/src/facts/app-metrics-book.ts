import type { AppFamily, AppSeries, MergedFamily, MergedMetrics } from "../model/app-metrics.ts";
import { added, seriesOf, wentBack } from "./app-series.ts";

/** Series that are told at most, and that are remembered of processes that are gone. */
const maxSeries = 20_000;

/** Ours, which the app's cannot be. */
const reserved = /^lb_/;

/** Of a process as such, as prom-client's default metrics are. */
const ofProcesses = /^(process|nodejs)_/;

type Described = Omit<MergedFamily, "series"> & Pick<AppFamily, "aggregator">;

/** By what is the same of it in all processes; see `seriesOf`. */
type SeriesByKey = ReadonlyMap<string, AppSeries>;

interface Told {
  readonly family: Described;
  readonly series: SeriesByKey;
}

/** What one process has told last, by the metrics' names. */
type OfProcess = ReadonlyMap<string, Told>;

/**
 * The metrics of the app's own of all its processes as those of one. Counters are added up, and what those that are gone have
 * counted stays, so that nothing goes back; gauges are what their aggregator says; what is about a process has its instance's id.
 */
export class AppMetricsBook {
  /** By endpoint, in the order in which they told something first. */
  readonly #living = new Map<string, OfProcess>();
  /** What was counted by processes that are gone, and before a process began to count anew. */
  readonly #gone = new Map<string, { readonly family: Described; readonly series: Map<string, AppSeries> }>();
  #goneSeries = 0;

  /** What a process has now; `id`: of its instance. */
  take(endpointId: string, id: number, families: readonly AppFamily[]): void {
    const before = this.#living.get(endpointId);
    const now = new Map<string, Told>();
    for (const one of families) {
      if (now.has(one.name)) continue;
      const { samples: _, ...family } = one;
      now.set(one.name, { family, series: seriesOf(one, isById(one) ? String(id) : undefined) });
    }
    this.#living.set(endpointId, now);
    for (const [name, { family, series }] of before ?? []) {
      if (family.type === "gauge") continue;
      const still = now.get(name)?.series;
      for (const [key, was] of series) {
        const is = still?.get(key);
        if (is === undefined || wentBack(is, was)) this.#keep(family, key, was);
      }
    }
  }

  /** The process is gone. */
  ended(endpointId: string): void {
    const told = this.#living.get(endpointId);
    this.#living.delete(endpointId);
    for (const { family, series } of told?.values() ?? []) {
      if (family.type !== "gauge") for (const [key, one] of series) this.#keep(family, key, one);
    }
  }

  /** `answered`: the endpoints whose gauges are those of now; `late`: the others that were asked. */
  merged(answered: ReadonlySet<string>, late: number): MergedMetrics {
    const families = new Map<string, { family: Described; told: SeriesByKey[] }>();
    const join = ({ family, series }: Told) => {
      const known = families.get(family.name) ?? { family, told: [] };
      families.set(family.name, known);
      // One that has become another is told as what it is now.
      if (known.family.type === family.type) known.told.push(series);
    };
    const living = [...this.#living].reverse();
    for (const [endpointId, told] of living) {
      for (const one of told.values()) if (one.family.type !== "gauge" || answered.has(endpointId)) join(one);
    }
    for (const one of this.#gone.values()) join(one);
    let [left, dropped] = [maxSeries, 0];
    const merged: MergedFamily[] = [];
    for (const { family, told } of families.values()) {
      const { aggregator: _, ...described } = family;
      // The oldest first, so that of quantiles and the like the youngest's are told.
      const all = joined(family, told.reverse());
      const kept = reserved.test(family.name) ? [] : all.slice(0, left);
      left -= kept.length;
      dropped += all.length - kept.length;
      if (kept.length > 0) merged.push({ ...described, series: kept });
    }
    return { families: merged, answered: answered.size, late, dropped };
  }

  #keep(family: Described, key: string, series: AppSeries): void {
    const known = this.#gone.get(family.name);
    const kept = known?.family.type === family.type ? known : { family, series: new Map<string, AppSeries>() };
    if (known !== undefined && known !== kept) this.#goneSeries -= known.series.size;
    this.#gone.set(family.name, kept);
    const before = kept.series.get(key);
    if (before === undefined && this.#goneSeries >= maxSeries) return;
    if (before === undefined) this.#goneSeries += 1;
    const sum = before === undefined ? series : added(before, series);
    // Nobody has those quantiles any more.
    kept.series.set(key, sum.kind === "summary" ? { ...sum, quantiles: [] } : sum);
  }
}

function isById({ name, type }: Pick<AppFamily, "name" | "type">): boolean {
  // Quantiles of several processes are those of none.
  return type === "summary" || ofProcesses.test(name);
}

function joined(family: Described, told: readonly SeriesByKey[]): readonly AppSeries[] {
  if (family.type === "gauge" && family.aggregator === "omit" && !isById(family)) return [];
  const byKey = new Map<string, AppSeries[]>();
  for (const [key, one] of told.flatMap((series) => [...series])) {
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, [one]);
    else same.push(one);
  }
  return [...byKey.values()].map((same) =>
    family.type === "gauge" ? gaugeOf(family, same) : same.reduce((one, other) => added(one, other)),
  );
}

/** As prom-client's `AggregatorRegistry` does it. */
function gaugeOf(family: Described, same: readonly AppSeries[]): AppSeries {
  const values = same.map((one) => (one.kind === "number" ? one.value : 0));
  const sum = values.reduce((one, other) => one + other, 0);
  const of = (value: number): AppSeries => ({ kind: "number", labels: same[0]!.labels, value });
  // Two of one instance, while one takes the other's place.
  if (isById(family)) return of(values.at(-1)!);
  switch (family.aggregator) {
    case "first":
      return of(values[0]!);
    case "min":
      return of(Math.min(...values));
    case "max":
      return of(Math.max(...values));
    case "average":
      return of(sum / values.length);
    default:
      return of(sum);
  }
}
