import type { Clock } from "../clock.ts";
import { Store } from "./store.ts";
import type { TimedEntry } from "./types.ts";

/** As many as the cluster remembers. */
const maxKept = 500;
const againMs = 5_000;

/** What happens, oldest first. */
export function eventFeed(clock: Clock): Store<readonly TimedEntry[]> {
  const store = new Store<readonly TimedEntry[]>([]);
  let waiting: TimedEntry[] = [];
  const take = () => {
    store.set(withEntries(store.value, waiting));
    waiting = [];
  };
  const watch = () => {
    const source = new EventSource("/api/events");
    source.onmessage = ({ data }) => {
      // Those that are remembered come all at once, and are shown at once.
      if (waiting.length === 0) clock.after(50, take);
      waiting.push(JSON.parse(data) as TimedEntry);
    };
    // It comes back by itself after a break, but not after a refusal.
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return;
      clock.after(againMs, watch);
    };
  };
  watch();
  return store;
}

/** In the order in which they happened, none twice: the cluster tells again what it remembers, and another one counts from 1 anew. */
export function withEntries(known: readonly TimedEntry[], more: readonly TimedEntry[]): readonly TimedEntry[] {
  const keys = new Set(known.map(keyOf));
  return [...known, ...more.filter((entry) => !keys.has(keyOf(entry)))].slice(-maxKept);
}

export function keyOf({ id, at }: Pick<TimedEntry, "id" | "at">): string {
  return `${at}/${id}`;
}
