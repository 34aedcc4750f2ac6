import { type FailureReason, failureReasons, type Outcome } from "./outcome.ts";

/** What may be counted as a failure: no response, for a reason, or a status; `"5xx"` is all from 500 on. */
export type FailureCondition = FailureReason | "5xx" | number;

/** Those that say that nobody was there to answer: what gateways answer for an app, or an app for one that it needs. */
export const gatewayFailures: readonly FailureCondition[] = Object.freeze([...failureReasons, 502, 503, 504]);

/** And those that the app made itself. */
export const allFailures: readonly FailureCondition[] = Object.freeze([...failureReasons, "5xx"]);

/** A list of conditions, made for being asked about every request. */
export class FailureConditions {
  readonly #reasons: ReadonlySet<unknown>;
  /** By status, from `firstErrorStatus` on. */
  readonly #statuses = new Uint8Array(endStatus - firstErrorStatus);

  constructor(on: readonly FailureCondition[]) {
    this.#reasons = new Set(on);
    for (const condition of on) {
      if (condition === "5xx") this.#statuses.fill(1, 500 - firstErrorStatus);
      else if (typeof condition === "number") this.#statuses[condition - firstErrorStatus] = 1;
    }
  }

  count(outcome: Outcome): boolean {
    switch (outcome.kind) {
      case "response":
        return this.countStatus(outcome.status);
      case "failure":
        return this.#reasons.has(outcome.reason);
      case "success":
      case "cancelled":
        return false;
    }
  }

  countReason(reason: string): boolean {
    return this.#reasons.has(reason);
  }

  countStatus(status: number): boolean {
    return status >= firstErrorStatus && this.#statuses[status - firstErrorStatus] === 1;
  }
}

/** Below these, a response is what was asked for, or the way there. */
export const firstErrorStatus = 400;
/** RFC 9110 §15: three digits; those from 600 on are to be taken for 5xx. */
export const endStatus = 1_000;

/** Whether a status says that the server failed. */
export function isServerError(status: number): boolean {
  return status >= 500;
}

/** What an endpoint's own count of failures has, whatever the policies say. */
export function isFailure(outcome: Outcome): boolean {
  return outcome.kind === "failure" || (outcome.kind === "response" && isServerError(outcome.status));
}
