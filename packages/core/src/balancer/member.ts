import type { EndpointHealth } from "../health/endpoint-health.ts";
import { EndpointLoad, type LatencyOptions } from "../load/endpoint-load.ts";
import type { Endpoint } from "../model/endpoint.ts";

/**
 * - `serving`: may be given leases, as far as its health allows;
 * - `draining`: gets no new ones, has open ones;
 * - `drained`: gets no new ones and has none.
 */
export type Phase = "serving" | "draining" | "drained";

/** Leases that were open at one moment, but for tunnels. */
export interface EarlierLeases {
  /** The newest of them are of this generation. */
  readonly upTo: number;
  /** How many of them are still open, and no tunnels. */
  left: number;
  readonly over: () => void;
}

/** What the balancer holds of one endpoint. It is the candidate that strategies see, so a pick needs no look-up. */
export class Member extends EndpointLoad {
  health: EndpointHealth;
  phase: Phase = "serving";
  /** Of the leases open on it, those whose holder has said how it goes: tunnels. */
  observed = 0;
  /** Of the leases open on it, those whose response has begun. */
  answered = 0;
  /** Of the requests that it reports itself, those in flight whose response has not begun; undefined: it reports none. */
  reportedUnanswered: number | undefined;
  /** When its slow start began; undefined: it is at full weight. */
  rampStartedAt: number | undefined;
  /** The candidates of the current picker, if it is one of them. */
  listedIn: readonly Member[] | undefined;
  /** Called when it is drained; made when first needed. */
  awaitingDrain: (() => void)[] | undefined;
  /** Which leases began before others: one more with each {@link awaitingEarlier}. */
  generation = 0;
  /** Those who wait for the leases that were open when they came; made when first needed. */
  awaitingEarlier: EarlierLeases[] | undefined;

  constructor(endpoint: Endpoint, health: EndpointHealth, latency: LatencyOptions | undefined) {
    super(endpoint, latency);
    this.health = health;
  }

  /** Of the leases open on it, those whose response has not begun. */
  get unanswered(): number {
    return this.reportedUnanswered ?? this.inFlight - this.answered;
  }
}
