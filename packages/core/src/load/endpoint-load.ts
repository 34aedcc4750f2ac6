import type { Candidate } from "../model/candidate.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { Outcome } from "../model/outcome.ts";
import { PeakEwma } from "./peak-ewma.ts";

export interface LatencyOptions {
  readonly clock: Clock;
  /** Time constant with which a peak fades; see {@link PeakEwma}. */
  readonly decayMs: number;
}

/**
 * What one endpoint is doing and has done. It measures and never chooses; whoever owns the leases calls `begin` and
 * `end` exactly once for each.
 */
export class EndpointLoad implements Candidate {
  readonly endpoint: Endpoint;
  readonly #latency: PeakEwma | undefined;
  #inFlight = 0;
  #requests = 0;
  #failures = 0;
  #latencySumMs = 0;
  #latencyCount = 0;

  /** Without `latency` none is measured, and `latencyMs()` is 0. */
  constructor(endpoint: Endpoint, latency?: LatencyOptions) {
    this.endpoint = endpoint;
    this.#latency = latency === undefined ? undefined : new PeakEwma(latency.decayMs, latency.clock);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Leases begun so far. */
  get requests(): number {
    return this.#requests;
  }

  /** Leases that ended in failure so far; cancelled ones are none. */
  get failures(): number {
    return this.#failures;
  }

  /** Response times that were reported so far, in milliseconds: their sum, and how many they are. */
  get latencySumMs(): number {
    return this.#latencySumMs;
  }

  get latencyCount(): number {
    return this.#latencyCount;
  }

  latencyMs(): number {
    return this.#latency === undefined ? 0 : this.#latency.value();
  }

  begin(): void {
    this.#inFlight += 1;
    this.#requests += 1;
  }

  end(outcome: Outcome): void {
    this.#inFlight -= 1;
    switch (outcome.kind) {
      case "success":
        if (outcome.latencyMs === undefined) return;
        this.#latencySumMs += outcome.latencyMs;
        this.#latencyCount += 1;
        this.#latency?.observe(outcome.latencyMs);
        return;
      case "failure":
        this.#failures += 1;
        if (outcome.latencyMs !== undefined) this.#latency?.observe(outcome.latencyMs);
        return;
      case "cancelled":
        return;
    }
  }
}
