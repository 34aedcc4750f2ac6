import type { ClusterSight } from "../control/cluster-sight.ts";
import { type HistorySpan, shownSpan } from "../control/history-span.ts";
import { RecentRates, type RecentTraffic } from "../control/recent-traffic.ts";
import type { ClusterStatus } from "../control/status.ts";
import type { Span } from "../facts/history.ts";
import type { EntryMemory, TimedEntry } from "../log/entry-memory.ts";
import { type Clock, every, type Timer } from "../model/clock.ts";

/** What whoever watches is told: at once, again every second, and soon after something happened. The first has what came before. */
export interface Sighting {
  readonly status: ClusterStatus;
  /** The last seconds; `null`: it has not been watched long enough. */
  readonly recent: RecentTraffic | null;
  /** Those that ended since the last one, oldest first. */
  readonly spans: readonly HistorySpan[];
  /** What happened since. */
  readonly entries: readonly TimedEntry[];
}

export interface WatchArgument {
  /** How far back the first spans go. */
  readonly historyMs?: number;
}

export interface WatchedCluster {
  readonly sight: ClusterSight;
  readonly memory: EntryMemory;
  readonly clock: Clock;
}

const everyMs = 1_000;
/** What happens within it is told together. */
const soonMs = 200;
/** Spans are a second long so far back. */
const maxHistoryMs = 300_000;

/** Tells how a cluster is, again and again, until who asked leaves. */
export async function watch(
  { sight, memory, clock, name }: WatchedCluster & { readonly name: string },
  { historyMs = maxHistoryMs }: WatchArgument = {},
  { tell, signal }: { readonly tell: (event: unknown) => void; readonly signal: AbortSignal },
): Promise<void> {
  const rates = new RecentRates();
  let entriesUntil = 0;
  // Told apart by what they are: the machine's time may go back.
  let lastSpan: Span | undefined;
  const look = () => {
    const spans = sight.history.last(lastSpan === undefined ? Math.min(historyMs, maxHistoryMs) : 10 * everyMs);
    const entries = memory.after(entriesUntil);
    const sighting: Sighting = {
      status: { ...sight.status(), name },
      recent: rates.note(sight.counts(), clock.now()) ?? null,
      spans: spans.slice(lastSpan === undefined ? 0 : spans.indexOf(lastSpan) + 1).map(shownSpan),
      entries,
    };
    lastSpan = spans.at(-1);
    entriesUntil = entries.at(-1)?.id ?? entriesUntil;
    tell(sighting);
  };
  if (signal.aborted) return;
  look();
  const timer = every(clock, everyMs, look);
  let soon: Timer | undefined;
  const unsubscribe = memory.subscribe(() => {
    soon ??= clock.after(soonMs, () => {
      soon = undefined;
      look();
    });
  });
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  timer.cancel();
  soon?.cancel();
  unsubscribe();
}
