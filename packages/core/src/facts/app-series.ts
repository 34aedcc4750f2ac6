import type { AppFamily, AppSeries, Label } from "../model/app-metrics.ts";

/** Of one series, as its samples come: a map, since one that lies has twenty thousand buckets in one. */
interface Gathered {
  readonly labels: readonly Label[];
  value: number;
  sum: number;
  count: number;
  /** By `le` or `quantile`. */
  readonly places: Map<string, number>;
}

/** The series of one process, by a key that is the same in all. `id`: goes before the other labels. */
export function seriesOf({ type, samples }: AppFamily, id: string | undefined): ReadonlyMap<string, AppSeries> {
  const own = type === "histogram" ? "le" : type === "summary" ? "quantile" : undefined;
  const found = new Map<string, Gathered>();
  for (const { suffix, labels: given, value } of samples) {
    const place = given.find(([name]) => name === own)?.[1];
    const labels = labelled(given, { own, id });
    const key = JSON.stringify([...labels].sort(([one], [other]) => (one < other ? -1 : 1)));
    const series = found.get(key) ?? { labels, value: 0, sum: 0, count: 0, places: new Map() };
    found.set(key, series);
    if (own === undefined) series.value = value;
    else if (suffix === "_sum") series.sum = value;
    else if (suffix === "_count") series.count = value;
    else if (place !== undefined) series.places.set(type === "histogram" ? String(Number(place)) : place, value);
  }
  return new Map([...found].map(([key, series]) => [key, told(type, series)]));
}

/** What both have counted, together. Of quantiles, which cannot be added, those of the second. */
export function added(one: AppSeries, other: AppSeries): AppSeries {
  if (one.kind === "number" && other.kind === "number") return { ...other, value: one.value + other.value };
  if (one.kind === "number" || other.kind === "number" || one.kind !== other.kind) return other;
  const [sum, count] = [one.sum + other.sum, one.count + other.count];
  if (one.kind === "histogram" && other.kind === "histogram") {
    return { ...other, sum, count, steps: addedSteps(one.steps, other.steps) };
  }
  return { ...other, sum, count };
}

/** It was begun anew: by the process itself, which lives on. */
export function wentBack(now: AppSeries, before: AppSeries): boolean {
  if (now.kind !== before.kind) return true;
  if (now.kind === "number" && before.kind === "number") return now.value < before.value;
  return now.kind !== "number" && before.kind !== "number" && now.count < before.count;
}

type Steps = Extract<AppSeries, { readonly kind: "histogram" }>["steps"];

/**
 * Both have their own buckets, after a reload with others. Of one that does not say how many there were up to a place it is known how
 * many there were up to the place before: never more than there were, and never less than before.
 */
function addedSteps(some: Steps, others: Steps): Steps {
  const places = [...new Set([...some, ...others].map(([le]) => le))].sort((one, other) => one - other);
  let [at, of] = [0, 0];
  return places.map((le) => {
    while (at < some.length && some[at]![0] <= le) at += 1;
    while (of < others.length && others[of]![0] <= le) of += 1;
    return [le, (some[at - 1]?.[1] ?? 0) + (others[of - 1]?.[1] ?? 0)] as const;
  });
}

function told(type: AppFamily["type"], { labels, value, sum, count, places }: Gathered): AppSeries {
  if (type === "summary") return { kind: "summary", labels, quantiles: [...places], sum, count };
  if (type !== "histogram") return { kind: "number", labels, value };
  // That of all is the count.
  const steps = [...places].map(([le, below]) => [Number(le), below] as const).filter(([le]) => Number.isFinite(le));
  return { kind: "histogram", labels, steps: steps.sort(([one], [other]) => one - other), sum, count };
}

/** A label of the app's with a name that is taken is called as Prometheus calls such. */
function labelled(
  given: readonly Label[],
  { own, id }: { readonly own: string | undefined; readonly id: string | undefined },
) {
  const labels = given.filter(([name]) => name !== own);
  if (id === undefined) return labels;
  return [["id", id] as const, ...labels.map(([name, value]): Label => [name === "id" ? "exported_id" : name, value])];
}
