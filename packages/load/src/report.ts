import type { Counted, Tally } from "./tally.ts";
import { judge, type Thresholds, type Verdict } from "./thresholds.ts";

/** What a load test came to. Plain JSON. */
export interface LoadReport {
  readonly version: 1;
  readonly url: string;
  readonly tookMs: number;
  /** The most there were at a time. */
  readonly users: number;
  /** Times that users went through the scenario. */
  readonly iterations: number;
  /** Requests, and whatever else was measured, that were answered in a second. */
  readonly perSecond: number;
  /** Where a rate was asked for: how many were due and never begun. `null`: none was asked for. */
  readonly notBegun: number | null;
  readonly all: Counted;
  readonly byName: Readonly<Record<string, Counted>>;
  readonly checks: Readonly<Record<string, { readonly passed: number; readonly failed: number }>>;
  /** How many each instance answered, as `X-Backend-Server` says (the option `backendHeader`); empty: nobody says it. */
  readonly instances: Readonly<Record<string, number>>;
  readonly verdicts: readonly Verdict[];
  readonly passed: boolean;
}

export interface Course {
  readonly url: string;
  readonly tookMs: number;
  readonly users: number;
  readonly iterations: number;
  readonly notBegun: number | null;
}

export function reportOf(tally: Tally, course: Course, thresholds: Thresholds): LoadReport {
  const all = tally.all.counted;
  const answered = all.count - Object.values(all.failures).reduce((sum, count) => sum + count, 0);
  const facts = {
    version: 1,
    ...course,
    perSecond: course.tookMs === 0 ? 0 : (answered * 1_000) / course.tookMs,
    all,
    byName: Object.fromEntries([...tally.byName].map(([name, counting]) => [name, counting.counted])),
    checks: Object.fromEntries(tally.checks),
    instances: Object.fromEntries([...tally.instances].sort(([one], [other]) => one.localeCompare(other))),
  } as const;
  const verdicts = judge(thresholds, facts);
  // A test in which nobody answered has shown nothing.
  return { ...facts, verdicts, passed: answered > 0 && verdicts.every(({ holds }) => holds) };
}
