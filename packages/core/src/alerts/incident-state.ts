/**
 * How it looks at the moment: `urgent` is bad, and need not last to be said; `between` is not bad enough to begin an incident, and not
 * good enough to end one.
 */
export type Seen = "good" | "between" | "bad" | "urgent";

/** How long a state has to last. */
export interface IncidentTimes {
  /** Bad for so long, it is an incident. */
  readonly forMs: number;
  /** Good for so long, that is over. */
  readonly recoverForMs: number;
  /** What was bad for less is said too, once, when `forMs` have passed since it began. */
  readonly tellsBrief: boolean;
}

/** Times are those of a {@link Clock}. `since`: when it became bad. */
export type IncidentState =
  | { readonly kind: "quiet" }
  /** Nothing was said yet. `goodSince`: it is good for the moment; else it is bad. */
  | { readonly kind: "pending"; readonly since: number; readonly goodSince: number | undefined }
  /** That it is bad was said. */
  | { readonly kind: "firing"; readonly since: number }
  /** It is good again, and not yet for long enough. */
  | { readonly kind: "recovering"; readonly since: number; readonly goodSince: number }
  /** It was bad for a moment, which was said; if it becomes bad again soon, that is no moment any more. */
  | { readonly kind: "passed"; readonly since: number; readonly goodSince: number };

/** What is to be said: it has begun, it is over, or it came and went. */
export type Told = "firing" | "resolved" | "passed";

export interface Step {
  readonly state: IncidentState;
  readonly told: Told | undefined;
  /** From the beginning to the end of it, if it is over. */
  readonly durationMs: number | undefined;
}

export const quiet: IncidentState = { kind: "quiet" };

/** What becomes of a state when it looks like that now. */
export function next(state: IncidentState, seen: Seen, now: number, times: IncidentTimes): Step {
  switch (state.kind) {
    case "quiet":
      return seen === "bad" || seen === "urgent"
        ? pending({ kind: "pending", since: now, goodSince: undefined }, seen, now, times)
        : still(quiet);
    case "pending":
      return pending(state, seen, now, times);
    case "firing":
      return seen === "good"
        ? recovering({ kind: "recovering", since: state.since, goodSince: now }, now, times)
        : still(state);
    case "recovering":
      return seen === "good" ? recovering(state, now, times) : still({ kind: "firing", since: state.since });
    case "passed":
      if (seen === "bad" || seen === "urgent") return firing(state.since);
      return still(now - state.goodSince >= times.recoverForMs ? quiet : state);
  }
}

type Pending = Extract<IncidentState, { kind: "pending" }>;
type Recovering = Extract<IncidentState, { kind: "recovering" }>;

function pending(state: Pending, seen: Seen, now: number, { forMs, tellsBrief }: IncidentTimes): Step {
  if (seen === "urgent") return firing(state.since);
  const isOver = now - state.since >= forMs;
  if (seen === "bad") return isOver ? firing(state.since) : still({ ...state, goodSince: undefined });
  if (!tellsBrief) return still(quiet);
  const goodSince = state.goodSince ?? now;
  if (!isOver) return still({ ...state, goodSince });
  return {
    state: { kind: "passed", since: state.since, goodSince },
    told: "passed",
    durationMs: goodSince - state.since,
  };
}

function recovering(state: Recovering, now: number, { recoverForMs }: IncidentTimes): Step {
  if (now - state.goodSince < recoverForMs) return still(state);
  return { state: quiet, told: "resolved", durationMs: state.goodSince - state.since };
}

function firing(since: number): Step {
  return { state: { kind: "firing", since }, told: "firing", durationMs: undefined };
}

function still(state: IncidentState): Step {
  return { state, told: undefined, durationMs: undefined };
}
