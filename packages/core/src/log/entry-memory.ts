import type { LogEntry } from "./log-entry.ts";

/** An entry of the cluster's log, and when it was made. Plain JSON. */
export interface TimedEntry extends LogEntry {
  /** Counted from 1. */
  readonly id: number;
  /** In milliseconds since 1970-01-01 UTC. */
  readonly at: number;
}

/** Entries that are remembered for those who come later, or again. */
const maxRemembered = 500;

/** What became of a cluster lately, and those who are told what comes. */
export class EntryMemory {
  readonly #remembered: TimedEntry[] = [];
  readonly #listeners = new Set<(entry: TimedEntry) => void>();
  #count = 0;

  add(entry: LogEntry, at: number): void {
    this.#count += 1;
    const timed = { id: this.#count, at, ...entry };
    this.#remembered.push(timed);
    if (this.#remembered.length > maxRemembered) this.#remembered.shift();
    for (const listener of this.#listeners) listener(timed);
  }

  /** Those after this one, oldest first. */
  after(id: number): readonly TimedEntry[] {
    // A number that is not ours yet is that of an earlier primary.
    return id > this.#count ? this.#remembered : this.#remembered.filter((entry) => !(entry.id <= id));
  }

  /** Returns the unsubscribe call. */
  subscribe(listener: (entry: TimedEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
