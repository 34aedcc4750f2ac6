import { addedLatencies, type LatencyCounts } from "./latency-histogram.ts";

/** What happened in one span of time. Plain JSON. */
export interface Span {
  /** When it ended, in milliseconds since 1970-01-01 UTC. */
  readonly at: number;
  readonly ms: number;
  readonly requests: number;
  /** Of them, those that were failures for their clients. */
  readonly failures: number;
  /** Of them, those that were answered with a status from 400 to 499. */
  readonly clientErrors: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly latency: LatencyCounts;
  /** At its end: requests in progress, those that waited, and open connections. */
  readonly inFlight: number;
  readonly waiting: number;
  readonly connections: number;
  /** Of the primary and all instances together, on average: processors used; at its end: memory. */
  readonly cpu: number;
  readonly rssBytes: number;
  /** The worst event loop of all instances, in milliseconds. */
  readonly loopLagMs: number;
}

/** How long spans are, and how many of them are kept. */
export interface HistoryLevel {
  readonly ms: number;
  readonly kept: number;
}

/** A second for five minutes, ten for an hour, a minute for a day. */
export const historyLevels: readonly HistoryLevel[] = [
  { ms: 1_000, kept: 300 },
  { ms: 10_000, kept: 360 },
  { ms: 60_000, kept: 1_440 },
];

interface Level extends HistoryLevel {
  /** Oldest first. */
  readonly spans: Span[];
  /** What is gathered for the next one. */
  open: Span | undefined;
}

/** The last day in bounded memory: the older, the coarser. */
export class History {
  readonly #levels: readonly Level[];

  constructor(levels: readonly HistoryLevel[] = historyLevels) {
    this.#levels = levels.map((level) => ({ ...level, spans: [], open: undefined }));
  }

  /** Of the finest level's length, more or less. */
  add(span: Span): void {
    for (const level of this.#levels) {
      level.open = level.open === undefined ? span : joined(level.open, span);
      // Closed where it comes closest to its length.
      if (level.open.ms < level.ms - span.ms / 2) continue;
      level.spans.push(level.open);
      level.open = undefined;
      if (level.spans.length > level.kept) level.spans.shift();
    }
  }

  /** Oldest first, as finely as is known so far back. */
  last(ms: number): readonly Span[] {
    const level = this.#levels.find((each) => each.ms * each.kept >= ms) ?? this.#levels.at(-1);
    if (level === undefined) return [];
    return level.spans.slice(-Math.ceil(ms / level.ms));
  }

  /** All of the last so many milliseconds as one. Undefined: nothing is known yet. */
  over(ms: number): Span | undefined {
    const [first, ...rest] = this.last(ms);
    return first === undefined ? undefined : rest.reduce(joined, first);
  }
}

function joined(one: Span, next: Span): Span {
  const ms = one.ms + next.ms;
  return {
    at: next.at,
    ms,
    requests: one.requests + next.requests,
    failures: one.failures + next.failures,
    clientErrors: one.clientErrors + next.clientErrors,
    bytesIn: one.bytesIn + next.bytesIn,
    bytesOut: one.bytesOut + next.bytesOut,
    latency: addedLatencies(one.latency, next.latency),
    inFlight: next.inFlight,
    waiting: next.waiting,
    connections: next.connections,
    cpu: (one.cpu * one.ms + next.cpu * next.ms) / ms,
    rssBytes: next.rssBytes,
    loopLagMs: Math.max(one.loopLagMs, next.loopLagMs),
  };
}
