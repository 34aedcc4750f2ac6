import type { Routing } from "../../balancer/routing.ts";
import type { UpstreamRules } from "../../http/forwarding.ts";
import type { ResponseRules } from "../../http/response-rules.ts";
import type { RetrySettings } from "../../model/retry-policy.ts";
import type { HttpLimits } from "../../options/limit-options.ts";
import type { RouteTimeouts } from "../../options/route-options.ts";
import type { PlacementParts } from "../placement.ts";
import type { FrontSettings } from "../settings.ts";
import type { InFlightLimit } from "./in-flight-limit.ts";
import type { Pool } from "./pool.ts";

/** How those requests are answered that take one route: by whom, and within which bounds. */
export interface Way extends PlacementParts {
  readonly kind: "way";
  readonly pool: Pool;
  readonly timeouts: RouteTimeouts;
  readonly retry: RetrySettings;
  readonly limits: HttpLimits;
  /** How many of them there may be at a time; undefined: no matter how many. */
  readonly inFlight: InFlightLimit | undefined;
  /** What becomes of the fields of responses; undefined: nothing does. */
  readonly responseRules: ResponseRules | undefined;
  /** What becomes of requests; undefined: they go on as they do without routes. */
  readonly upstream: UpstreamRules | undefined;
}

export interface StraightWayOptions {
  readonly settings: Pick<FrontSettings, "timeouts" | "retry" | "limits">;
  readonly pool: Pool;
  readonly routing: Routing | undefined;
  readonly responseRules: ResponseRules | undefined;
  readonly inFlight?: InFlightLimit | undefined;
}

/** Of requests that take no route: all is as the settings say for all. */
export function straightWay({ settings, pool, inFlight, ...parts }: StraightWayOptions): Way {
  const { timeouts, retry, limits } = settings;
  return {
    kind: "way",
    pool,
    balancer: pool.balancer,
    timeouts,
    retry,
    limits,
    inFlight,
    upstream: undefined,
    ...parts,
  };
}
