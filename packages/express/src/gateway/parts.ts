import type { Clock, UrlBalancer } from "@lb/core";
import type { Mirror } from "./mirror.ts";
import type { GatewaySettings } from "./options.ts";
import type { RequestTrace } from "./request-log.ts";
import type { Upstreams } from "./upstreams.ts";

/** What one exchange or tunnel has of its gateway. */
export interface GatewayParts {
  readonly settings: GatewaySettings;
  /** Over the targets of the request. */
  readonly balancer: UrlBalancer;
  readonly upstreams: Upstreams;
  readonly clock: Clock;
  readonly mirror: Mirror | undefined;
  readonly trace: RequestTrace | undefined;
}
