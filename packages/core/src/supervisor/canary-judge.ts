import type { CanarySettings } from "../options/reload-options.ts";

/** What was counted during the trial. */
export interface TrialCounts {
  readonly requests: number;
  /** Of them, those whose outcome cannot be told yet: they wait for an answer since less than half the trial. */
  readonly undecided: number;
  readonly failures: number;
  /** 4xx that are not among the failures. */
  readonly clientErrors: number;
  /** Without an answer at the end, after half the trial at least. */
  readonly unanswered: number;
  /** Of those whose time to the response head was measured: its sum, that of its squares, and how many they are. */
  readonly latencySumMs: number;
  readonly latencySquareSumMs: number;
  readonly latencyCount: number;
}

export const noTrialCounts: TrialCounts = Object.freeze({
  requests: 0,
  undecided: 0,
  failures: 0,
  clientErrors: 0,
  unanswered: 0,
  latencySumMs: 0,
  latencySquareSumMs: 0,
  latencyCount: 0,
});

export interface TrialSides {
  readonly stable: TrialCounts;
  readonly canary: TrialCounts;
}

/** What one side did during the trial. */
export interface TrialFigures {
  /** Those whose outcome is known: the latest that wait for an answer are not among them. */
  readonly requests: number;
  readonly failures: number;
  /** Requests without an answer at the end, which they had waited for during half the trial at least. */
  readonly unanswered: number;
  /** Failures and such requests, a request; 0 without requests. */
  readonly errorRate: number;
  /** 4xx that are not among the failures, a request; 0 without requests. */
  readonly clientErrorRate: number;
  /** Mean time to the response head, of those answered with less than 500; 0 where none was measured. */
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
 * Compares the canary with the others. Nothing counts as worse that chance explains: of rates, the lower end of the
 * canary's Wilson score interval (E. B. Wilson, 1927; one-sided, 95 %) has to lie above the others' as well, of mean times,
 * the difference above its standard error (Welch's test). So one failure in fifty requests does not end a deploy, and
 * five do; nor does one response that took long.
 */
export function judgeCanary(settings: CanarySettings, sides: TrialSides): CanaryReport {
  const stable = figures(sides.stable);
  const canary = figures(sides.canary);
  const { minRequests } = settings;
  if (canary.requests < minRequests || stable.requests < minRequests) {
    const counts = `${canary.requests} and ${stable.requests}`;
    const reason = `canary and others had ${counts} requests, fewer than ${minRequests}`;
    return { verdict: "too-few-requests", reason, stable, canary };
  }
  const worse =
    moreFailures(settings, stable, canary) ?? moreClientErrors(settings, stable, canary) ?? slower(settings, sides);
  if (worse !== undefined) return { verdict: "worse", reason: worse, stable, canary };
  const reason = "it failed no more and took no longer than the settings allow";
  return { verdict: "as-good", reason, stable, canary };
}

function moreFailures(settings: CanarySettings, stable: TrialFigures, canary: TrialFigures): string | undefined {
  const { requests, errorRate, unanswered, failures } = canary;
  const [its, theirs] = [errorRate, stable.errorRate];
  if (!isMore({ its, theirs, by: settings.maxErrorRateIncrease, requests })) return undefined;
  const silent = unanswered > failures;
  const what = silent ? `had no answer after ${(settings.forMs / 2_000).toFixed(1)} s and more` : "failed";
  return `${percent(its)} of its requests ${what}, of the others' ${percent(theirs)}`;
}

function moreClientErrors(settings: CanarySettings, stable: TrialFigures, canary: TrialFigures): string | undefined {
  const [its, theirs] = [canary.clientErrorRate, stable.clientErrorRate];
  const { requests } = canary;
  if (!isMore({ its, theirs, by: settings.maxClientErrorRateIncrease, requests })) return undefined;
  return `${percent(its)} of its requests were answered with a 4xx, of the others' ${percent(theirs)}`;
}

function slower({ maxLatencyIncrease }: CanarySettings, { stable, canary }: TrialSides): string | undefined {
  if (stable.latencyCount === 0 || canary.latencyCount === 0) return undefined;
  const [its, theirs] = [latencyOf(canary), latencyOf(stable)];
  const by = its.meanMs - theirs.meanMs;
  if (by <= minLatencyIncreaseMs || by <= theirs.meanMs * maxLatencyIncrease) return undefined;
  if (by <= z * Math.sqrt(its.squaredErrorMs + theirs.squaredErrorMs)) return undefined;
  return `its responses took ${its.meanMs.toFixed(1)} ms on average, the others' ${theirs.meanMs.toFixed(1)} ms`;
}

function figures(counts: TrialCounts): TrialFigures {
  const { undecided, failures, unanswered, clientErrors, latencySumMs, latencyCount } = counts;
  const requests = counts.requests - undecided;
  return {
    requests,
    failures,
    unanswered,
    errorRate: rate(failures + unanswered, requests),
    clientErrorRate: rate(clientErrors, requests),
    latencyMs: latencyCount === 0 ? 0 : latencySumMs / latencyCount,
  };
}

/** Some of the outcomes may be those of requests from before the trial. */
function rate(count: number, requests: number): number {
  return requests === 0 ? 0 : Math.min(1, count / requests);
}

function latencyOf({ latencySumMs, latencySquareSumMs, latencyCount }: TrialCounts) {
  const meanMs = latencySumMs / latencyCount;
  const variance = Math.max(0, latencySquareSumMs - latencyCount * meanMs * meanMs) / Math.max(1, latencyCount - 1);
  return { meanMs, squaredErrorMs: variance / latencyCount };
}

interface RateComparison {
  readonly its: number;
  readonly theirs: number;
  /** More than this is too much. */
  readonly by: number;
  readonly requests: number;
}

function isMore({ its, theirs, by, requests }: RateComparison): boolean {
  return its - theirs > by && wilsonLowerBound(its, requests) > theirs;
}

/** @see https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval */
function wilsonLowerBound(rate: number, requests: number): number {
  const z2 = z * z;
  const centre = rate + z2 / (2 * requests);
  const spread = z * Math.sqrt((rate * (1 - rate)) / requests + z2 / (4 * requests * requests));
  return (centre - spread) / (1 + z2 / requests);
}

function percent(rate: number): string {
  return `${(rate * 100).toFixed(1)} %`;
}
