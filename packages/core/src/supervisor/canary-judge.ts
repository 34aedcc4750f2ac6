import type { CanarySettings } from "./settings.ts";
/** What was counted up to one moment. */
export interface TrialCounters {
  readonly requests: number;
  readonly failures: number;
  /** Of those whose time to the response head was measured: its sum in milliseconds, and how many they are. */
  readonly latencySumMs: number;
  readonly latencyCount: number;
}

export interface TrialSides {
  readonly stable: TrialCounters;
  readonly canary: TrialCounters;
}

/** What one side did during the trial. */
export interface TrialFigures {
  readonly requests: number;
  readonly failures: number;
  /** Failures a request; 0 without requests. */
  readonly errorRate: number;
  /** Mean time to the response head; 0 where none was measured. */
  readonly latencyMs: number;
}

export interface CanaryReport {
  readonly verdict: "as-good" | "worse" | "too-few-requests";
  /** What the verdict goes by, as a sentence. */
  readonly reason: string;
  readonly stable: TrialFigures;
  readonly canary: TrialFigures;
}

/** Quantile of the normal distribution for a one-sided test at 95 %. */
const z = 1.645;
/** Differences below this are the timer's and the network's, whatever part of the whole they are. */
const minLatencyIncreaseMs = 1;

/**
 * Compares the canary with the others over the time between the two counts. Failures count as more only where chance does
 * not explain them: the lower end of the canary's Wilson score interval (E. B. Wilson, 1927; one-sided, 95 %) has to lie
 * above the others' rate as well. So one failure in fifty requests does not end a deploy, and five do.
 */
export function judgeCanary(
  settings: CanarySettings,
  { before, after }: { readonly before: TrialSides; readonly after: TrialSides },
): CanaryReport {
  const stable = figures(before.stable, after.stable);
  const canary = figures(before.canary, after.canary);
  const report = (verdict: CanaryReport["verdict"], reason: string) => ({ verdict, reason, stable, canary });
  const { minRequests, maxErrorRateIncrease, maxLatencyIncrease } = settings;
  if (canary.requests < minRequests || stable.requests < minRequests) {
    const counts = `${canary.requests} and ${stable.requests}`;
    return report("too-few-requests", `canary and others had ${counts} requests, fewer than ${minRequests}`);
  }
  const moreFailures = canary.errorRate - stable.errorRate > maxErrorRateIncrease;
  if (moreFailures && wilsonLowerBound(canary.failures, canary.requests) > stable.errorRate) {
    return report(
      "worse",
      `${percent(canary.errorRate)} of its requests failed, of the others' ${percent(stable.errorRate)}`,
    );
  }
  const slower = canary.latencyMs - stable.latencyMs;
  if (stable.latencyMs > 0 && slower > minLatencyIncreaseMs && slower > stable.latencyMs * maxLatencyIncrease) {
    const [its, theirs] = [canary.latencyMs.toFixed(1), stable.latencyMs.toFixed(1)];
    return report("worse", `its responses took ${its} ms on average, the others' ${theirs} ms`);
  }
  return report("as-good", "it failed no more and took no longer than the settings allow");
}

function figures(before: TrialCounters, after: TrialCounters): TrialFigures {
  const requests = Math.max(0, after.requests - before.requests);
  const failures = Math.max(0, after.failures - before.failures);
  const measured = after.latencyCount - before.latencyCount;
  return {
    requests,
    failures,
    errorRate: requests === 0 ? 0 : failures / requests,
    latencyMs: measured > 0 ? (after.latencySumMs - before.latencySumMs) / measured : 0,
  };
}

/** @see https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval */
function wilsonLowerBound(failures: number, requests: number): number {
  const rate = failures / requests;
  const z2 = z * z;
  const centre = rate + z2 / (2 * requests);
  const spread = z * Math.sqrt((rate * (1 - rate)) / requests + z2 / (4 * requests * requests));
  return (centre - spread) / (1 + z2 / requests);
}

function percent(rate: number): string {
  return `${(rate * 100).toFixed(1)} %`;
}
