import type { Endpoint } from "./endpoint.ts";

/** What a strategy may know of an endpoint it could choose: who it is, and how busy it is now. */
export interface Candidate {
  readonly endpoint: Endpoint;
  /** Leases open now. */
  readonly inFlight: number;
  /**
   * Peak-EWMA of the response time in milliseconds, decayed to now. 0 until a response was seen, and always 0 when the
   * strategy did not ask for it with `Strategy.latencyDecayMs`.
   */
  latencyMs(): number;
}
