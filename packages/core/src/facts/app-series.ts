import type { AppFamily, AppSeries, Label } from "../model/app-metrics.ts";

/** The series of one process, by a key that is the same in all. `id`: goes before the other labels. */
export function seriesOf({ type, samples }: AppFamily, id: string | undefined): ReadonlyMap<string, AppSeries> {
  const found = new Map<string, AppSeries>();
  for (const { suffix, labels: given, value } of samples) {
    const own = type === "histogram" ? "le" : type === "summary" ? "quantile" : undefined;
    const place = given.find(([name]) => name === own)?.[1];
    const labels = labelled(given, { own, id });
    const key = JSON.stringify([...labels].sort(([one], [other]) => (one < other ? -1 : 1)));
    const before = found.get(key) ?? emptyOf(type, labels);
    found.set(key, withSample(before, { suffix, place, value }));
  }
  return found;
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

interface Placed {
  readonly suffix: string;
  readonly place: string | undefined;
  readonly value: number;
}

function withSample(series: AppSeries, { suffix, place, value }: Placed): AppSeries {
  if (series.kind === "number") return { ...series, value };
  if (suffix === "_sum") return { ...series, sum: value };
  if (suffix === "_count") return { ...series, count: value };
  if (place === undefined) return series;
  if (series.kind === "summary") return { ...series, quantiles: [...series.quantiles, [place, value]] };
  const le = place === "+Inf" ? Number.POSITIVE_INFINITY : Number(place);
  // That of all is the count.
  if (!Number.isFinite(le)) return series;
  const steps = [...series.steps.filter(([one]) => one !== le), [le, value] as const];
  return { ...series, steps: steps.sort(([one], [other]) => one - other) };
}

function emptyOf(type: AppFamily["type"], labels: readonly Label[]): AppSeries {
  if (type === "histogram") return { kind: "histogram", labels, steps: [], sum: 0, count: 0 };
  if (type === "summary") return { kind: "summary", labels, quantiles: [], sum: 0, count: 0 };
  return { kind: "number", labels, value: 0 };
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
