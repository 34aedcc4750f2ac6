import type { Sample } from "../api/status-feed.ts";
import type { RequestsStatus } from "../api/types.ts";
import { bytes } from "../figures/format.ts";
import { countedRequests, ratesOver } from "../figures/rates.ts";
import { type Column, DataTable } from "./data-table.tsx";
import { errorColumn, latencyColumn, numberColumn, type RowTraffic, rateColumn } from "./traffic-columns.tsx";

interface RouteRow extends RequestsStatus, RowTraffic {
  readonly name: string;
}

/** What takes which requests. Where there are no routes, it is the app that takes all, and nothing is shown. */
export function RouteTable({ samples }: { readonly samples: readonly Sample[] }) {
  const { routes } = samples.at(-1)!.status.traffic;
  const names = Object.keys(routes);
  if (names.every((name) => name === "")) return null;
  const rows = names.map((name): RouteRow => {
    const rates = ratesOver(samples, ({ traffic }) => {
      const counted = traffic.routes[name];
      return counted && countedRequests(counted);
    });
    return {
      ...routes[name]!,
      name,
      requestsPerSecond: rates?.requestsPerSecond,
      failureShare: rates?.failureShare,
    };
  });
  return (
    <section aria-labelledby="routes">
      <div class="section-head">
        <h2 id="routes">Routes</h2>
      </div>
      <DataTable label="Routes" columns={columns} rows={rows} keyOf={({ name }) => name} empty="" />
    </section>
  );
}

const columns: readonly Column<RouteRow>[] = [
  {
    id: "name",
    title: "Route",
    by: ({ name }) => name,
    cell: ({ name }) => <span class="name">{name === "" ? "none: the app" : name}</span>,
  },
  rateColumn,
  errorColumn,
  latencyColumn("p50", ({ totalMs }) => totalMs.p50),
  latencyColumn("p95", ({ totalMs }) => totalMs.p95),
  numberColumn("requests", "In all", ({ requests }) => requests),
  ...(["2xx", "3xx", "4xx", "5xx"] as const).map((name) =>
    numberColumn<RouteRow>(name, name, ({ byStatus }) => byStatus[name]),
  ),
  {
    id: "out",
    title: "Sent",
    numeric: true,
    by: ({ bytesOut }) => bytesOut,
    cell: ({ bytesOut }) => bytes(bytesOut),
  },
];
