import type { Sample } from "../api/status-feed.ts";
import type { BackendStatus, ClusterStatus } from "../api/types.ts";
import { count, milliseconds, percent, rate } from "../figures/format.ts";
import { type Counted, ratesOver } from "../figures/rates.ts";
import { type Column, DataTable } from "./data-table.tsx";
import { Mark } from "./mark.tsx";

type Endpoint = BackendStatus["endpoints"][number];

interface EndpointRow extends Endpoint {
  readonly backend: string;
  readonly requestsPerSecond: number | undefined;
  readonly failureShare: number | undefined;
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
    hint: "Of the requests of the last five seconds: 5xx, or no answer",
    numeric: true,
    by: ({ failureShare }) => failureShare,
    cell: ({ failureShare }) => percent(failureShare),
  },
  {
    id: "p95",
    title: "p95",
    hint: "Since the cluster began",
    numeric: true,
    by: ({ p95 }) => p95,
    cell: ({ p95 }) => milliseconds(p95),
  },
  {
    id: "in-flight",
    title: "In flight",
    numeric: true,
    by: ({ inFlight }) => inFlight,
    cell: ({ inFlight }) => count(inFlight),
  },
  {
    id: "requests",
    title: "In all",
    numeric: true,
    by: ({ requests }) => requests,
    cell: ({ requests }) => count(requests),
  },
  { id: "weight", title: "Weight", numeric: true, by: ({ weight }) => weight, cell: ({ weight }) => weight },
];
