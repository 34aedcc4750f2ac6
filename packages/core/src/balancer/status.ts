import type { HealthChange, HealthState } from "../health/state.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Member, Phase } from "./member.ts";
import type { Roster } from "./roster.ts";

/** What the balancer knows of one endpoint at one moment. */
export interface EndpointStatus {
  readonly endpoint: Endpoint;
  readonly phase: Phase;
  /** Once the endpoint is draining, its health at that moment. */
  readonly health: HealthState;
  /** Leases open now. */
  readonly inFlight: number;
  /** Leases taken so far. */
  readonly requests: number;
  /** Leases that ended without a response, or with a 5xx, so far. */
  readonly failures: number;
  /** Leases that ended without a response, by reason, or with a status from 400 on, by status. */
  readonly errors: Readonly<Record<string, number>>;
  /** Of those open now, the ones whose response has not begun. */
  readonly unanswered: number;
  /** Milliseconds, as peak-EWMA; 0 where the strategy does not ask for response times. */
  readonly latencyMs: number;
  /** Response times that were reported so far, in milliseconds: their sum, that of their squares, and how many they are. */
  readonly latencySumMs: number;
  readonly latencySquareSumMs: number;
  readonly latencyCount: number;
}

export function endpointStatus(member: Member): EndpointStatus {
  const { endpoint, phase, inFlight, requests, failures, unanswered } = member;
  const { latencySumMs, latencySquareSumMs, latencyCount } = member;
  return {
    endpoint,
    phase,
    health: member.health.state,
    inFlight,
    requests,
    failures,
    errors: Object.fromEntries(member.errors),
    unanswered,
    latencyMs: member.latencyMs(),
    latencySumMs,
    latencySquareSumMs,
    latencyCount,
  };
}

export interface BalancerStatus {
  readonly roster: Roster;
  /** Requests that wait for an endpoint. */
  readonly waiting: number;
  /** Retries that the budget allows now. */
  readonly retriesLeft: number;
  /** So few endpoints are healthy that health is ignored. */
  readonly panicking: boolean;
  /** Those of the roster, then those that left it with leases open. */
  readonly endpoints: readonly EndpointStatus[];
}

export type BalancerEvent =
  | { readonly type: "roster"; readonly roster: Roster }
  | ({ readonly type: "health" } & HealthChange)
  /** It gets no new leases: it was set to drain, or left the roster. */
  | { readonly type: "draining"; readonly endpoint: Endpoint }
  /** And its last lease has ended. */
  | {
      readonly type: "drained";
      readonly endpoint: Endpoint;
      /** Leases taken over its life, and those of them that ended in failure. Final, if it has left the roster. */
      readonly requests: number;
      readonly failures: number;
    };

/**
 * Why there is no endpoint:
 * - `empty`: the roster is;
 * - `draining`: all endpoints are, or are drained;
 * - `all-excluded`: the request excludes all that are eligible;
 * - `full`: those besides have as many requests as they may;
 * - `set-aside`: the only one besides those is kept for somebody else for a moment;
 * - `closed`: the balancer is.
 */
export type UnavailableReason = "empty" | "draining" | "all-excluded" | "full" | "set-aside" | "closed";

export interface Unavailable {
  readonly kind: "unavailable";
  readonly reason: UnavailableReason;
}
