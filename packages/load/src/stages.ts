/** Within this time the number of users goes, evenly, to so many. */
export interface Stage {
  readonly durationMs: number;
  readonly users: number;
}

/** How many users there are to be at this time, the first stage beginning with none; undefined: all stages are over. */
export function usersAt(stages: readonly Stage[], atMs: number): number | undefined {
  let [begun, from] = [0, 0];
  for (const { durationMs, users } of stages) {
    if (atMs < begun + durationMs) {
      const share = (atMs - begun) / durationMs;
      // Where there are to be any there is one at once.
      return Math.max(Math.min(1, users), Math.round(from + (users - from) * share));
    }
    begun += durationMs;
    from = users;
  }
  return undefined;
}

export function mostUsers(stages: readonly Stage[]): number {
  return Math.max(...stages.map(({ users }) => users));
}

export function wholeDurationMs(stages: readonly Stage[]): number {
  return stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
}
