import type { Sample } from "../api/status-feed.ts";
import type { RequestsStatus } from "../api/types.ts";
import { bytes, count, milliseconds, percent, rate } from "../figures/format.ts";
import { countedRequests, ratesOver } from "../figures/rates.ts";
import { type Column, DataTable } from "./data-table.tsx";

interface RouteRow extends RequestsStatus {
  readonly name: string;
  readonly requestsPerSecond: number | undefined;
  readonly failureShare: number | undefined;
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
  {
    id: "rate",
    title: "Req/s",
    hint: "Requests a second, over the last five seconds",
    numeric: true,
    by: ({ requestsPerSecond }) => requestsPerSecond,
    cell: ({ requestsPerSecond }) => rate(requestsPerSecond),
  },
  {
    id: "errors",
    title: "Errors",
    hint: "Of the requests of the last five seconds: 5xx, or a response that was cut",
    numeric: true,
    by: ({ failureShare }) => failureShare,
    cell: ({ failureShare }) => percent(failureShare),
  },
  {
    id: "p50",
    title: "p50",
    hint: "Since the cluster began",
    numeric: true,
    by: ({ totalMs }) => totalMs.p50,
    cell: ({ totalMs }) => milliseconds(totalMs.p50),
  },
  {
    id: "p95",
    title: "p95",
    hint: "Since the cluster began",
    numeric: true,
    by: ({ totalMs }) => totalMs.p95,
    cell: ({ totalMs }) => milliseconds(totalMs.p95),
  },
  { id: "requests", title: "In all", numeric: true, by: (row) => row.requests, cell: (row) => count(row.requests) },
  ...(["2xx", "3xx", "4xx", "5xx"] as const).map(
    (name): Column<RouteRow> => ({
      id: name,
      title: name,
      numeric: true,
      by: ({ byStatus }) => byStatus[name],
      cell: ({ byStatus }) => count(byStatus[name]),
    }),
  ),
  {
    id: "out",
    title: "Sent",
    numeric: true,
    by: ({ bytesOut }) => bytesOut,
    cell: ({ bytesOut }) => bytes(bytesOut),
  },
];
