import type { ClusterStatus, ReloadStatus, TimedEntry } from "../api/types.ts";

/** A reload as it is told: while it goes on, and for a while after. */
export interface ReloadStory {
  /** The backend whose program it is; undefined: the app. */
  readonly backend: string | undefined;
  readonly reload: ReloadStatus;
  readonly outcome:
    | { readonly kind: "running" }
    | { readonly kind: "finished"; readonly at: number }
    | { readonly kind: "rolled-back"; readonly at: number; readonly why: string };
  /** When it was first seen, by the wall clock. */
  readonly since: number;
}

const toldForMs = 60_000;

/** What is to be told now, after what was told before. */
export function reloadStory(
  told: ReloadStory | undefined,
  status: ClusterStatus,
  entries: readonly TimedEntry[],
  now: number,
): ReloadStory | undefined {
  const running = runningIn(status);
  if (running !== undefined) {
    const goesOn = told?.outcome.kind === "running" && told.backend === running.backend;
    return { ...running, outcome: { kind: "running" }, since: goesOn ? told.since : now };
  }
  if (told === undefined) return undefined;
  if (told.outcome.kind === "running") return { ...told, outcome: outcomeOf(told, entries, now) };
  return now - told.outcome.at > toldForMs ? undefined : told;
}

function runningIn({ reload, backends }: ClusterStatus): Pick<ReloadStory, "backend" | "reload"> | undefined {
  if (reload !== null) return { backend: undefined, reload };
  const other = backends.find((backend) => backend.reload !== null);
  return other === undefined ? undefined : { backend: other.name, reload: other.reload! };
}

/** The event may come a moment after the status without it. */
function outcomeOf({ backend }: ReloadStory, entries: readonly TimedEntry[], now: number): ReloadStory["outcome"] {
  const last = entries.findLast(({ event, fields }) => event === "reload" && fields?.["backend"] === backend);
  if (last?.level === "error") return { kind: "rolled-back", at: now, why: last.message };
  // What is said of its steps names an instance, or how many there are to be.
  const isLast = last !== undefined && last.instance === undefined && last.fields?.["total"] === undefined;
  return isLast ? { kind: "finished", at: now } : { kind: "running" };
}
