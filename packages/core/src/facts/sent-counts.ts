import { type LatencyCounts, latencyBoundsMs, noLatencies } from "./latency-histogram.ts";
import { type ClassCounts, type RequestCounts, statusClasses } from "./request-counts.ts";

/** Counts as they travel between processes: most buckets of a moment are empty. */
export interface SentCounts {
  readonly app: readonly number[];
  readonly front: readonly number[];
  /** Unanswered, cut, left, attempts, bytes in and out. */
  readonly rest: readonly number[];
  /** First byte, total and queued: the sum of the milliseconds, then a bucket and its number, again and again. */
  readonly times: readonly (readonly number[])[];
}

const restFields = ["unanswered", "cut", "left", "attempts", "bytesIn", "bytesOut"] as const;
const timeFields = ["firstByte", "total", "queued"] as const;

export function sentCounts(counts: RequestCounts): SentCounts {
  return {
    app: statusClasses.map((name) => counts.app[name]),
    front: statusClasses.map((name) => counts.front[name]),
    rest: restFields.map((name) => counts[name]),
    times: timeFields.map((name) => sentLatencies(counts[name])),
  };
}

/** Undefined: these are no counts. */
export function receivedCounts(raw: unknown): RequestCounts | undefined {
  const { app, front, rest, times } = (raw ?? {}) as { readonly [Name in keyof SentCounts]?: unknown };
  const [ofApp, ofFront] = [receivedClasses(app), receivedClasses(front)];
  if (ofApp === undefined || ofFront === undefined) return undefined;
  if (!isAmounts(rest) || rest.length !== restFields.length) return undefined;
  if (!Array.isArray(times) || times.length !== timeFields.length) return undefined;
  const read = times.map(receivedLatencies);
  const [firstByte, total, queued] = read;
  if (firstByte === undefined || total === undefined || queued === undefined) return undefined;
  const [unanswered, cut, left, attempts, bytesIn, bytesOut] = rest as [number, number, number, number, number, number];
  return { app: ofApp, front: ofFront, unanswered, cut, left, attempts, bytesIn, bytesOut, firstByte, total, queued };
}

function sentLatencies({ sumMs, buckets }: LatencyCounts): readonly number[] {
  return [
    Math.round(sumMs * 1_000) / 1_000,
    ...buckets.flatMap((count, bucket) => (count === 0 ? [] : [bucket, count])),
  ];
}

function receivedLatencies(raw: unknown): LatencyCounts | undefined {
  if (!isAmounts(raw) || raw.length % 2 !== 1) return undefined;
  if (raw.length === 1) return noLatencies;
  const buckets = new Array<number>(latencyBoundsMs.length + 1).fill(0);
  let count = 0;
  for (let at = 1; at < raw.length; at += 2) {
    const bucket = raw[at]!;
    if (!Number.isInteger(bucket) || bucket >= buckets.length) return undefined;
    buckets[bucket]! += raw[at + 1]!;
    count += raw[at + 1]!;
  }
  return { count, sumMs: raw[0]!, buckets };
}

function receivedClasses(raw: unknown): ClassCounts | undefined {
  if (!isAmounts(raw) || raw.length !== statusClasses.length) return undefined;
  return Object.fromEntries(statusClasses.map((name, at) => [name, raw[at]])) as unknown as ClassCounts;
}

function isAmounts(raw: unknown): raw is readonly number[] {
  return Array.isArray(raw) && raw.every((each) => typeof each === "number" && each >= 0 && Number.isFinite(each));
}
