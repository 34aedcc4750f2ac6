import type { Sample } from "../api/status-feed.ts";
import type { BackendStatus, ClusterStatus } from "../api/types.ts";
import { type Counted, ratesOver } from "../figures/rates.ts";
import { type Column, DataTable } from "./data-table.tsx";
import { Mark } from "./mark.tsx";
import {
  errorColumn,
  inFlightColumn,
  latencyColumn,
  numberColumn,
  type RowTraffic,
  rateColumn,
} from "./traffic-columns.tsx";

type Endpoint = BackendStatus["endpoints"][number];

interface EndpointRow extends Endpoint, RowTraffic {
  readonly backend: string;
  readonly p95: number | null | undefined;
}

/** Where requests go besides the app. */
export function BackendTable({ samples }: { readonly samples: readonly Sample[] }) {
  const { backends, traffic } = samples.at(-1)!.status;
  if (backends.length === 0) return null;
  const rows = backends.flatMap(({ name, endpoints }) =>
    endpoints.map((endpoint): EndpointRow => {
      const rates = ratesOver(samples, (status) => endpointIn(status, name, endpoint.url));
      return {
        ...endpoint,
        backend: name,
        requestsPerSecond: rates?.requestsPerSecond,
        failureShare: rates?.failureShare,
        p95: traffic.backends[name]?.[endpoint.url]?.totalMs.p95,
      };
    }),
  );
  const without = backends.filter(({ endpoints }) => endpoints.length === 0).map(({ name }) => name);
  return (
    <section aria-labelledby="backends">
      <div class="section-head">
        <h2 id="backends">Backends</h2>
      </div>
      <DataTable
        label="Backends"
        columns={columns}
        rows={rows}
        keyOf={({ backend, url }) => `${backend} ${url}`}
        empty="No backend has an endpoint."
      />
      {without.length > 0 && rows.length > 0 && <p class="aside">Without an endpoint: {without.join(", ")}</p>}
    </section>
  );
}

function endpointIn({ backends }: ClusterStatus, name: string, url: string): Counted | undefined {
  return backends.find((one) => one.name === name)?.endpoints.find((one) => one.url === url);
}

const tones = { ready: "good", unhealthy: "bad", draining: "busy" } as const;

const columns: readonly Column<EndpointRow>[] = [
  {
    id: "backend",
    title: "Backend",
    by: ({ backend }) => backend,
    cell: ({ backend }) => <span class="name">{backend}</span>,
  },
  { id: "url", title: "Endpoint", by: ({ url }) => url, cell: ({ url }) => <span class="url">{url}</span> },
  {
    id: "state",
    title: "State",
    by: ({ state }) => state,
    cell: ({ state }) => <Mark tone={tones[state]}>{state}</Mark>,
  },
  rateColumn,
  errorColumn,
  latencyColumn("p95", ({ p95 }) => p95),
  inFlightColumn,
  numberColumn("requests", "In all", ({ requests }) => requests),
  { id: "weight", title: "Weight", numeric: true, by: ({ weight }) => weight, cell: ({ weight }) => weight },
];
