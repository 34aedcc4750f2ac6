import type { Endpoint } from "../model/endpoint.ts";

/**
 * What ejected an endpoint:
 * - `fails`: `passive.maxFails` failures within `passive.failTimeoutMs`;
 * - `consecutive-failures`: `outlier.consecutiveFailures` without a success in between, while others succeeded;
 * - `success-rate`: far fewer successes than the other endpoints in the last interval.
 */
export type EjectionCause = "fails" | "consecutive-failures" | "success-rate";

/** What is known of one endpoint. Times are the injected clock's. Only `healthy` and `trial` are eligible. */
export type HealthState =
  | { readonly kind: "healthy"; readonly since: number }
  /** Added while `active.requireFirstProbe` is set; no probe has succeeded yet. */
  | { readonly kind: "unprobed"; readonly since: number }
  | { readonly kind: "probe-down"; readonly since: number }
  | { readonly kind: "ejected"; readonly since: number; readonly until: number; readonly cause: EjectionCause }
  /** Its ejection is over: the next request is the trial whose outcome decides. */
  | { readonly kind: "trial"; readonly since: number; readonly cause: EjectionCause };

export interface HealthChange {
  readonly endpoint: Endpoint;
  readonly from: HealthState;
  readonly to: HealthState;
}

export function isEligible(state: HealthState): boolean {
  switch (state.kind) {
    case "healthy":
    case "trial":
      return true;
    case "unprobed":
    case "probe-down":
    case "ejected":
      return false;
  }
}
