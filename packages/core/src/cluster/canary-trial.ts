import type { EndpointStatus } from "../balancer/status.ts";
import type { Clock, Timer } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { FailureConditions } from "../model/failure-conditions.ts";
import type { CanarySettings } from "../options/reload-options.ts";
import { type CanaryReport, judgeCanary, noTrialCounts, type TrialCounts } from "../supervisor/canary-judge.ts";
import type { Trial } from "../supervisor/replacement.ts";
import type { InstancesInTraffic } from "./group-traffic.ts";

export interface CanaryTrialOptions {
  readonly settings: CanarySettings;
  readonly traffic: InstancesInTraffic;
  readonly clock: Clock;
}

/** By endpoint id. */
type Statuses = ReadonlyMap<string, EndpointStatus>;

const nothing: Statuses = new Map();

/** Gives a new worker its share of the requests, and compares what comes of them with what came of the others'. */
export class CanaryTrial implements Trial {
  readonly forMs: number;
  readonly #settings: CanarySettings;
  readonly #failures: FailureConditions;
  readonly #traffic: InstancesInTraffic;
  readonly #clock: Clock;
  #canary: Endpoint | undefined;
  #atBegin = nothing;
  #atHalf = nothing;
  #half: Timer | undefined;
  #report: CanaryReport | undefined;

  constructor({ settings, traffic, clock }: CanaryTrialOptions) {
    this.forMs = settings.forMs;
    this.#settings = settings;
    this.#failures = new FailureConditions(settings.on);
    this.#traffic = traffic;
    this.#clock = clock;
  }

  get report(): CanaryReport | undefined {
    return this.#report;
  }

  begin(endpoint: Endpoint): void {
    this.#canary = endpoint;
    this.#atBegin = this.#statuses();
    this.#half = this.#clock.after(this.forMs / 2, () => {
      this.#atHalf = this.#statuses();
    });
    this.#traffic.setCanary([endpoint], this.#settings.share);
  }

  judge(): string | undefined {
    const sides = { stable: noTrialCounts, canary: noTrialCounts };
    // Of endpoints that leave meanwhile nothing counts: what a crash cut off is not what the others are like.
    for (const status of this.#statuses().values()) {
      const isCanary = this.#canary !== undefined && this.#traffic.isSame(this.#canary, status.endpoint);
      const side = isCanary ? "canary" : "stable";
      sides[side] = sum(sides[side], this.#countsOf(status));
    }
    this.#report = judgeCanary(this.#settings, sides);
    return this.#report.verdict === "worse" ? this.#report.reason : undefined;
  }

  end(): void {
    this.#half?.cancel();
    this.#traffic.setCanary([], 0);
  }

  #statuses(): Statuses {
    return new Map(this.#traffic.counts.map((status) => [status.endpoint.id, status]));
  }

  /** What an endpoint did since the beginning. */
  #countsOf(now: EndpointStatus): TrialCounts {
    const begin = this.#atBegin.get(now.endpoint.id);
    const requestsAtBegin = begin?.requests ?? 0;
    const requestsAtHalf = this.#atHalf.get(now.endpoint.id)?.requests ?? requestsAtBegin;
    let [failures, clientErrors] = [0, 0];
    for (const [error, total] of Object.entries(now.errors)) {
      const count = total - (begin?.errors[error] ?? 0);
      if (this.#isFailure(error)) failures += count;
      else if (Number(error) < 500) clientErrors += count;
    }
    // Those that wait and cannot all have come in the second half have waited for at least as long as that.
    const sinceHalf = now.requests - requestsAtHalf;
    return {
      requests: now.requests - requestsAtBegin,
      // As many as waited at the beginning go on waiting, e.g. for long polls.
      undecided: Math.min(Math.max(0, now.unanswered - (begin?.unanswered ?? 0)), sinceHalf),
      failures,
      clientErrors,
      unanswered: Math.min(Math.max(0, now.unanswered - sinceHalf), requestsAtHalf - requestsAtBegin),
      latencySumMs: now.latencySumMs - (begin?.latencySumMs ?? 0),
      latencySquareSumMs: now.latencySquareSumMs - (begin?.latencySquareSumMs ?? 0),
      latencyCount: now.latencyCount - (begin?.latencyCount ?? 0),
    };
  }

  /** `error`: a status, or a reason. */
  #isFailure(error: string): boolean {
    const status = Number(error);
    return Number.isNaN(status) ? this.#failures.countReason(error) : this.#failures.countStatus(status);
  }
}

function sum(one: TrialCounts, other: TrialCounts): TrialCounts {
  return {
    requests: one.requests + other.requests,
    undecided: one.undecided + other.undecided,
    failures: one.failures + other.failures,
    clientErrors: one.clientErrors + other.clientErrors,
    unanswered: one.unanswered + other.unanswered,
    latencySumMs: one.latencySumMs + other.latencySumMs,
    latencySquareSumMs: one.latencySquareSumMs + other.latencySquareSumMs,
    latencyCount: one.latencyCount + other.latencyCount,
  };
}
