import { ms, percent, shortNumber } from "../figures.ts";
import { type Column, tableLines } from "./columns.ts";
import type { Line } from "./styled-text.ts";
import type { TrafficRow } from "./traffic-rows.ts";

const columns: readonly Column<TrafficRow>[] = [
  { title: "route or backend", align: "left", rank: 0, text: ({ name }) => name, flexible: true },
  {
    title: "state",
    align: "left",
    rank: 4,
    text: ({ state }) => state ?? "",
    style: ({ state }) => (state === "ready" ? "good" : state === "draining" ? "warn" : "bad"),
  },
  { title: "req/s", align: "right", rank: 1, text: ({ rate }) => (rate ? shortNumber(rate.requestsPerSecond) : "-") },
  {
    title: "failed",
    align: "right",
    rank: 2,
    text: ({ rate }) => (rate === undefined ? "-" : rate.failureShare === 0 ? "0" : percent(rate.failureShare)),
    style: ({ rate }) => ((rate?.failureShare ?? 0) > 0 ? "bad" : "plain"),
  },
  { title: "p95", align: "right", rank: 3, text: ({ rate }) => ms(rate?.totalMs.p95 ?? null) },
  { title: "in flight", align: "right", rank: 5, text: ({ inFlight }) => (inFlight === null ? "" : String(inFlight)) },
  { title: "requests", align: "right", rank: 6, text: ({ requests }) => String(requests) },
  { title: "failures", align: "right", rank: 7, text: ({ failures }) => String(failures) },
];

/** Routes and backends from the `first` on: so many lines at most. */
export function trafficLines(
  all: readonly TrafficRow[],
  { first, width, rows }: { readonly first: number; readonly width: number; readonly rows: number },
): readonly Line[] {
  const { heading, lines } = tableLines(columns, all, { width });
  const room = Math.max(1, rows - 1);
  const from = Math.max(0, Math.min(first, lines.length - room));
  return [heading, ...lines.slice(from, from + room)];
}
