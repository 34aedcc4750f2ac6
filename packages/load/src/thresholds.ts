import type { Counted } from "./tally.ts";

/** What has to hold at the end. */
export interface Thresholds {
  /** 95 of 100 are answered within so many milliseconds. */
  readonly p95Ms?: number | undefined;
  readonly p99Ms?: number | undefined;
  /** No larger part fails: no answer, or 4xx and 5xx; 0.02 is one in fifty. */
  readonly errors?: number | undefined;
  /** At least so many are answered in a second. */
  readonly minPerSecond?: number | undefined;
  /** No larger part of the scenario's checks fails. Default 0. */
  readonly checks?: number | undefined;
}

/** What thresholds are about. */
interface Measured {
  readonly all: Counted;
  readonly perSecond: number;
  readonly checks: Readonly<Record<string, { readonly passed: number; readonly failed: number }>>;
}

/** One of them, and what it came to. */
export interface Verdict {
  readonly threshold: string;
  readonly limit: number;
  /** `null`: nothing was measured, which holds nothing. */
  readonly measured: number | null;
  readonly holds: boolean;
}

/** In the order of {@link Thresholds}, those that were given. */
export function judge(
  { p95Ms, p99Ms, errors, minPerSecond, checks = 0 }: Thresholds,
  { all, perSecond, checks: checked }: Measured,
): readonly Verdict[] {
  const atMost = (threshold: string, limit: number | undefined, measured: number | null): Verdict[] =>
    limit === undefined ? [] : [{ threshold, limit, measured, holds: measured !== null && measured <= limit }];
  const totals = Object.values(checked);
  const failed = totals.reduce((sum, one) => sum + one.failed, 0);
  const made = totals.reduce((sum, one) => sum + one.passed, failed);
  return [
    ...atMost("p95", p95Ms, all.latencyMs.p95),
    ...atMost("p99", p99Ms, all.latencyMs.p99),
    ...atMost("errors", errors, all.count === 0 ? null : all.failed / all.count),
    ...(minPerSecond === undefined
      ? []
      : [{ threshold: "rate", limit: minPerSecond, measured: perSecond, holds: perSecond >= minPerSecond }]),
    ...(made === 0 ? [] : atMost("checks", checks, failed / made)),
  ];
}
