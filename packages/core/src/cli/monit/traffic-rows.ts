import type { RateStatus } from "../../control/traffic-status.ts";
import type { Known } from "./known.ts";

/** A route, or an endpoint of a backend, and what it got in the last seconds. */
export interface TrafficRow {
  readonly name: string;
  /** `null`: it is a route. */
  readonly state: "ready" | "unhealthy" | "draining" | null;
  readonly rate: RateStatus | undefined;
  readonly requests: number;
  readonly failures: number;
  /** `null`: it is not known. */
  readonly inFlight: number | null;
}

/** Routes first, if there are any but the app, then backends. Those that are programs here stand among the instances. */
export function trafficRows({ status, recent }: Known): readonly TrafficRow[] {
  if (status === undefined) return [];
  const { routes } = status.traffic;
  const named = Object.keys(routes).some((name) => name !== "");
  const ofRoutes = Object.entries(routes).map(
    ([name, { requests, byStatus, cut }]): TrafficRow => ({
      name: name === "" ? "(no route)" : name,
      state: null,
      rate: recent?.routes[name],
      requests,
      failures: byStatus["5xx"] + cut,
      inFlight: null,
    }),
  );
  const ofBackends = status.backends
    .filter(({ instances }) => instances.length === 0)
    .flatMap(({ name, endpoints }) =>
      endpoints.map(
        ({ url, state, requests, failures, inFlight }): TrafficRow => ({
          name: `${name} ${url}`,
          state,
          rate: recent?.backends[name]?.[url],
          requests,
          failures,
          inFlight,
        }),
      ),
    );
  return [...(named ? ofRoutes : []), ...ofBackends];
}
