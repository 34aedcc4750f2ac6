import { type HistorySight, type Range, ranges } from "../api/history-feed.ts";
import type { TimedEntry } from "../api/types.ts";
import { bytes, count, milliseconds, rate } from "../figures/format.ts";
import type { Series } from "../figures/series.ts";
import { Chart, type ChartMark } from "./chart.tsx";
import { Choice } from "./choice.tsx";

interface ChartKind {
  readonly title: string;
  readonly series: readonly Series[];
  readonly shown: (value: number | null) => string;
  /** The axis goes up to this at least. */
  readonly least: number;
  readonly steps?: readonly number[];
}

const cores = (value: number | null) => (value === null ? "–" : value.toFixed(2));
const number = (value: number | null) => (value === null ? "–" : count(value));
const perSecond = (value: number | null) => rate(value ?? undefined);

const kinds: readonly ChartKind[] = [
  {
    title: "Requests a second",
    shown: perSecond,
    least: 5,
    series: [
      { label: "requests", colour: "--line-1", of: ({ requestsPerSecond }) => requestsPerSecond },
      { label: "errors", colour: "--line-bad", of: ({ failures, ms }) => (failures * 1_000) / ms },
    ],
  },
  {
    title: "Response time",
    shown: milliseconds,
    least: 10,
    series: [
      { label: "p50", colour: "--line-1", of: ({ totalMs }) => totalMs.p50 },
      { label: "p95", colour: "--line-2", of: ({ totalMs }) => totalMs.p95 },
      { label: "p99", colour: "--line-3", of: ({ totalMs }) => totalMs.p99 },
    ],
  },
  {
    title: "Open",
    shown: number,
    least: 5,
    series: [
      { label: "in flight", colour: "--line-1", of: ({ inFlight }) => inFlight },
      { label: "connections", colour: "--line-2", of: ({ connections }) => connections },
      { label: "waiting", colour: "--line-bad", of: ({ waiting }) => waiting },
    ],
  },
  {
    title: "CPU, in cores",
    shown: cores,
    least: 0.2,
    series: [{ label: "all processes", colour: "--line-1", of: ({ cpu }) => cpu }],
  },
  {
    title: "Memory",
    shown: (value) => bytes(value ?? undefined),
    least: 52_428_800,
    steps: Array.from({ length: 24 }, (_, power) => 2 ** (20 + power)),
    series: [{ label: "all processes", colour: "--line-1", of: ({ rssBytes }) => rssBytes }],
  },
  {
    title: "Event-loop delay",
    shown: milliseconds,
    least: 10,
    series: [{ label: "worst instance", colour: "--line-1", of: ({ loopLagMs }) => loopLagMs }],
  },
];

export interface ChartsProps extends HistorySight {
  readonly entries: readonly TimedEntry[];
  readonly show: (range: Range) => void;
}

/** How it was until now. */
export function Charts({ range, spans, entries, show }: ChartsProps) {
  return (
    <section aria-labelledby="history">
      <div class="section-head">
        <h2 id="history">History</h2>
        <Choice
          label="How far back"
          options={ranges.map((value) => ({ name: value.name, value }))}
          chosen={range}
          choose={show}
        />
      </div>
      <div class="charts">
        {kinds.map((kind) => (
          <Chart key={`${kind.title} ${range.name}`} {...kind} range={range} spans={spans} marks={marksIn(entries)} />
        ))}
      </div>
    </section>
  );
}

let marked: readonly TimedEntry[] = [];
let marks: readonly ChartMark[] = [];

/** What is worth a line through the charts. */
function marksIn(entries: readonly TimedEntry[]): readonly ChartMark[] {
  if (entries === marked) return marks;
  marked = entries;
  marks = entries.flatMap(({ at, level, event }) => {
    if (level !== "info") return [{ at, colour: "--line-bad" }];
    return event === "reload" || event === "phase" ? [{ at, colour: "--line-mark" }] : [];
  });
  return marks;
}
