/** Memory of one process over time, MB. */
export interface MemoryCourse {
  /** Medians of the quarters of the time. */
  readonly quarters: readonly number[];
  readonly grew: number;
}

/** What a process may gain from the second quarter to the last: V8 gives pages back late, and the allocator keeps some. */
const allowed = { share: 0.1, mb: 8 };

export function courseOf(samples: readonly number[]): MemoryCourse {
  const quarters = [0, 1, 2, 3].map((quarter) => {
    const [from, to] = [quarter, quarter + 1].map((at) => Math.floor((at * samples.length) / 4));
    return Math.round(median(samples.slice(from, to)) * 10) / 10;
  });
  return { quarters, grew: Math.round((quarters[3]! - quarters[1]!) * 10) / 10 };
}

export function isFlat({ quarters, grew }: MemoryCourse): boolean {
  return grew <= Math.max(allowed.mb, quarters[1]! * allowed.share);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
