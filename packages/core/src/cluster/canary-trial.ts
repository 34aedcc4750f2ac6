import type { Balancer } from "../balancer/balancer.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { type CanaryReport, judgeCanary, type TrialCounters } from "../supervisor/canary-judge.ts";
import type { Trial } from "../supervisor/replacement.ts";
import type { CanarySettings } from "../supervisor/settings.ts";

interface Sides {
  readonly stable: TrialCounters;
  readonly canary: TrialCounters;
}

const none: TrialCounters = { requests: 0, failures: 0, latencySumMs: 0, latencyCount: 0 };

/** Gives a new worker its share of the requests, and compares what comes of them with what came of the others'. */
export class CanaryTrial implements Trial {
  readonly forMs: number;
  readonly #settings: CanarySettings;
  readonly #balancer: Balancer;
  #canary: Endpoint | undefined;
  #before: Sides = { stable: none, canary: none };
  #report: CanaryReport | undefined;

  constructor(settings: CanarySettings, balancer: Balancer) {
    this.forMs = settings.forMs;
    this.#settings = settings;
    this.#balancer = balancer;
  }

  get report(): CanaryReport | undefined {
    return this.#report;
  }

  begin(endpoint: Endpoint): void {
    this.#canary = endpoint;
    this.#before = this.#count();
    this.#balancer.setCanary([endpoint], this.#settings.share);
  }

  judge(): string | undefined {
    this.#report = judgeCanary(this.#settings, { before: this.#before, after: this.#count() });
    return this.#report.verdict === "worse" ? this.#report.reason : undefined;
  }

  end(): void {
    this.#balancer.setCanary([]);
  }

  /** Of endpoints that leave meanwhile nothing counts: what a crash cut off is not what the others are like. */
  #count(): Sides {
    const sides = { stable: none, canary: none };
    for (const { endpoint, requests, failures, latencySumMs, latencyCount } of this.#balancer.status().endpoints) {
      const side = endpoint === this.#canary ? "canary" : "stable";
      const { [side]: sum } = sides;
      sides[side] = {
        requests: sum.requests + requests,
        failures: sum.failures + failures,
        latencySumMs: sum.latencySumMs + latencySumMs,
        latencyCount: sum.latencyCount + latencyCount,
      };
    }
    return sides;
  }
}
