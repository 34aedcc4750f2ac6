import type { Routing } from "../../balancer/routing.ts";
import type { UpstreamRules } from "../../http/forwarding.ts";
import type { PlacedFieldRules } from "../../http/placed-fields.ts";
import type { ResponseRules } from "../../http/response-rules.ts";
import type { RetrySettings } from "../../model/retry-policy.ts";
import type { HttpLimits } from "../../options/limit-options.ts";
import type { RouteTimeouts } from "../../options/route-options.ts";
import type { MovedPath } from "../../routing/moved-paths.ts";
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
  /** What becomes of the places that responses name; undefined: they are named as they are. */
  readonly places: PlaceRules | undefined;
  /** What becomes of requests; undefined: they go on as they do without routes. */
  readonly upstream: UpstreamRules | undefined;
}

/** Of a route whose backends have their places elsewhere than where clients find them. */
export interface PlaceRules extends PlacedFieldRules {
  readonly paths: (target: string) => MovedPath;
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
    places: undefined,
    upstream: undefined,
    ...parts,
  };
}
