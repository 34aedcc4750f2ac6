import { count, milliseconds, percent, rate } from "../figures/format.ts";
import type { Column } from "./data-table.tsx";
import { manyErrors } from "./key-figures.tsx";

/** What is known of the traffic of whatever a row is about. */
export interface RowTraffic {
  /** Both over the last five seconds. */
  readonly requestsPerSecond: number | undefined;
  readonly failureShare: number | undefined;
}

export const rateColumn: Column<RowTraffic> = {
  id: "rate",
  title: "Req/s",
  hint: "Requests a second, over the last five seconds",
  numeric: true,
  by: ({ requestsPerSecond }) => requestsPerSecond,
  cell: ({ requestsPerSecond }) => rate(requestsPerSecond),
};

export const errorColumn: Column<RowTraffic> = {
  id: "errors",
  title: "Errors",
  hint: "Of the requests of the last five seconds: 5xx, or no whole response",
  numeric: true,
  by: ({ failureShare }) => failureShare,
  cell: ({ failureShare }) => (
    <span class={failureShare !== undefined && failureShare >= manyErrors ? "bad-text" : undefined}>
      {percent(failureShare)}
    </span>
  ),
};

export const inFlightColumn: Column<{ readonly inFlight: number }> = numberColumn(
  "in-flight",
  "In flight",
  ({ inFlight }) => inFlight,
);

/** So many of a hundred responses were faster. */
export function latencyColumn<Row>(name: string, of: (row: Row) => number | null | undefined): Column<Row> {
  const hint = `${name.slice(1)} of 100 responses were faster, since the cluster began`;
  return { id: name, title: name, hint, numeric: true, by: of, cell: (row) => milliseconds(of(row)) };
}

export function numberColumn<Row>(id: string, title: string, of: (row: Row) => number): Column<Row> {
  return { id, title, numeric: true, by: of, cell: (row) => count(of(row)) };
}
