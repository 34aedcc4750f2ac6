import { FailureConditions } from "../model/failure-conditions.ts";
import type { Outcome } from "../model/outcome.ts";
import type { HealthSettings } from "../options/health-options.ts";
import type { EjectionCause } from "./state.ts";

const nothing = new FailureConditions([]);

/** What each way of ejecting an endpoint counts as a failure of it. */
export class FailurePolicies {
  readonly fails: FailureConditions;
  readonly run: FailureConditions;
  readonly rate: FailureConditions;

  constructor({ passive, outlier }: HealthSettings) {
    this.fails = passive === false ? nothing : new FailureConditions(passive.on);
    this.run = outlier === false ? nothing : new FailureConditions(outlier.on);
    const successRate = outlier !== false && outlier.successRate;
    this.rate = successRate === false ? nothing : new FailureConditions(successRate.on);
  }

  /** Whether what came of a trial is held against an endpoint by what ejected it. */
  counts(cause: EjectionCause, outcome: Outcome): boolean {
    switch (cause) {
      case "fails":
        return this.fails.count(outcome);
      case "consecutive-failures":
        return this.run.count(outcome);
      case "success-rate":
        return this.rate.count(outcome);
    }
  }
}
