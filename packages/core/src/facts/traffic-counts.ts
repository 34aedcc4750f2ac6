import type { ListenerCounts } from "./listener-counts.ts";
import type { RequestCounts } from "./request-counts.ts";

/** Routes that are told apart; what takes others is counted together, as `otherRoutes`. */
export const maxRoutes = 1_000;
export const otherRoutes = "(others)";

/** What was tried at one endpoint, or at a slot over all its endpoints. */
export interface EndpointCounts {
  readonly requests: RequestCounts;
  /** Attempts that came to nothing there and were made again, by cause. */
  readonly retries: Readonly<Record<string, number>>;
  /** In hand-off mode: connections that are open there now. */
  readonly connections: number;
  /** Tunnels (WebSockets and the like) that are open now. */
  readonly tunnels: number;
}

/** Of all requests together, and the connections that are open now, wherever they are. */
export interface TrafficTotals {
  readonly requests: RequestCounts;
  readonly connections: number;
}

/** A request of which there is a trace: an example of all those that took as long. Plain JSON. */
export interface Exemplar {
  readonly traceId: string;
  readonly ms: number;
  /** When it ended: milliseconds since 1970-01-01 UTC. */
  readonly at: number;
}

/** By route. */
export type Exemplars = Readonly<Record<string, readonly Exemplar[]>>;

/**
 * What has passed through a front since it began. A request is counted when it ends, once by each of its listener, its route and the
 * endpoint that was asked last. Plain JSON.
 */
export interface TrafficCounts {
  /** In the order of the settings. */
  readonly listeners: readonly ListenerCounts[];
  /** By route, `""` being those requests that took none. */
  readonly routes: Readonly<Record<string, RequestCounts>>;
  /** Of requests that are traced, by route. Absent: none is. */
  readonly exemplars?: Exemplars;
  /** Of the app's instances, by slot. */
  readonly slots: Readonly<Record<number, EndpointCounts>>;
  /** Of named backends, by name and URL. */
  readonly backends: Readonly<Record<string, Readonly<Record<string, EndpointCounts>>>>;
}
