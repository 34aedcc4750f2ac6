import type { SuccessRateSettings } from "../options/health-options.ts";

/** What one endpoint answered in an interval. */
export interface IntervalCounts {
  readonly successes: number;
  readonly failures: number;
}

/** Equal rates may differ from their own mean by rounding; this much below is not an outlier. */
const ROUNDING = 1e-9;

/**
 * The endpoints whose success rate lies more than `stdevFactor` standard deviations below the mean, worst first.
 * Envoy's success-rate outlier detection. One endpoint that fails everything among n that don't is √(n−1) deviations
 * below: with the default factor of 1.9 it takes the default `minHosts` of 5 to be found.
 */
export function successRateOutliers<T extends IntervalCounts>(
  endpoints: Iterable<T>,
  { minHosts, minRequests, stdevFactor }: SuccessRateSettings,
): T[] {
  const compared: { readonly endpoint: T; readonly rate: number }[] = [];
  for (const endpoint of endpoints) {
    const requests = endpoint.successes + endpoint.failures;
    if (requests >= minRequests) compared.push({ endpoint, rate: endpoint.successes / requests });
  }
  if (compared.length < minHosts) return [];

  const mean = compared.reduce((sum, { rate }) => sum + rate, 0) / compared.length;
  const variance = compared.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / compared.length;
  const threshold = mean - stdevFactor * Math.sqrt(variance) - ROUNDING;
  return compared
    .filter(({ rate }) => rate < threshold)
    .sort((a, b) => a.rate - b.rate)
    .map(({ endpoint }) => endpoint);
}
