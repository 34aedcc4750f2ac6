import type { Candidate } from "../model/candidate.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { firstErrorStatus, isServerError } from "../model/failure-conditions.ts";
import type { FailureReason, Outcome } from "../model/outcome.ts";
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
  #latency: PeakEwma | undefined;
  #inFlight = 0;
  #requests = 0;
  #failures = 0;
  #latencySumMs = 0;
  #latencySquareSumMs = 0;
  #latencyCount = 0;
  /** Made with the first. */
  #errors: Map<FailureReason | number, number> | undefined;

  /** Without `latency` none is measured, and `latencyMs()` is 0. */
  constructor(endpoint: Endpoint, latency?: LatencyOptions) {
    this.endpoint = endpoint;
    this.#latency = latency === undefined ? undefined : new PeakEwma(latency.decayMs, latency.clock);
  }

  /** Measures in this way from now on, and begins anew. Undefined: no latency is measured. */
  measure(latency: LatencyOptions | undefined): void {
    this.#latency = latency === undefined ? undefined : new PeakEwma(latency.decayMs, latency.clock);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Leases begun so far. */
  get requests(): number {
    return this.#requests;
  }

  /** Leases that ended without a response, or with a 5xx, so far; cancelled ones are none. */
  get failures(): number {
    return this.#failures;
  }

  /** Leases that ended without a response, by reason, or with a status from 400 on. */
  get errors(): ReadonlyMap<FailureReason | number, number> {
    return this.#errors ?? noErrors;
  }

  /** Response times that were reported so far, in milliseconds: their sum, that of their squares, and how many they are. */
  get latencySumMs(): number {
    return this.#latencySumMs;
  }

  get latencySquareSumMs(): number {
    return this.#latencySquareSumMs;
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
      case "response":
        if (outcome.status >= firstErrorStatus) this.#countError(outcome.status);
        // Errors are quick, and say nothing of how long an answer takes: whoever fails fast must not look like the fastest.
        if (isServerError(outcome.status)) this.#failures += 1;
        else this.#observe(outcome.latencyMs);
        return;
      case "success":
        this.#observe(outcome.latencyMs);
        return;
      case "failure":
        this.#failures += 1;
        this.#countError(outcome.reason);
        if (outcome.latencyMs !== undefined) this.#latency?.observe(outcome.latencyMs);
        return;
      case "cancelled":
        return;
    }
  }

  #observe(latencyMs: number | undefined): void {
    if (latencyMs === undefined) return;
    this.#latencySumMs += latencyMs;
    this.#latencySquareSumMs += latencyMs * latencyMs;
    this.#latencyCount += 1;
    this.#latency?.observe(latencyMs);
  }

  #countError(error: FailureReason | number): void {
    this.#errors ??= new Map();
    this.#errors.set(error, (this.#errors.get(error) ?? 0) + 1);
  }
}

const noErrors: ReadonlyMap<FailureReason | number, number> = new Map();
