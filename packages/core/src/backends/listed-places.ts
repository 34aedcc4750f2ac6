import type { Clock } from "../model/clock.ts";
import type { Random } from "../model/random.ts";
import type { EndpointEntry } from "../options/backend-endpoint-options.ts";
import type { Names } from "./names.ts";
import { type LookupSettings, PlaceWatch } from "./place-watch.ts";
import { findPlaces, type Place, placeOf } from "./places.ts";

export interface ListedPlacesOptions {
  readonly names: Names;
  readonly settings: LookupSettings;
  readonly clock: Clock;
  readonly random: Random;
  /** They may be others than before. */
  readonly changed: () => void;
  /** What an entry means could not be found out; told of each time. */
  readonly failed: (url: string, error: Error) => void;
  /** It could, after it could not. */
  readonly found: (url: string) => void;
}

/** The places that a list of entries means now. */
export class ListedPlaces {
  readonly #options: ListedPlacesOptions;
  readonly #watches = new Map<string, PlaceWatch>();
  #entries: readonly EndpointEntry[] = [];

  constructor(options: ListedPlacesOptions) {
    this.#options = options;
  }

  /** Replaces the list. Names that stay, as they are, keep what they were found to mean. */
  update(entries: readonly EndpointEntry[]): void {
    const leaving = new Map(this.#watches);
    this.#entries = entries;
    for (const entry of entries) {
      const key = watchKey(entry);
      if (entry.kind === "address" || leaving.delete(key) || this.#watches.has(key)) continue;
      this.#watches.set(key, this.#watch(entry));
    }
    for (const [key, watch] of leaving) {
      this.#watches.delete(key);
      watch.close();
    }
    this.#options.changed();
  }

  /** In the order of the entries. */
  get places(): readonly Place[] {
    return this.#entries.flatMap((entry) =>
      entry.kind === "address" ? [placeOf(entry)] : (this.#watches.get(watchKey(entry))?.places ?? []),
    );
  }

  /** Each name was asked for. */
  get areSettled(): boolean {
    return [...this.#watches.values()].every(({ isSettled }) => isSettled);
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.close();
    this.#watches.clear();
    this.#entries = [];
  }

  #watch(entry: Exclude<EndpointEntry, { readonly kind: "address" }>): PlaceWatch {
    const { names, settings, clock, random, changed, failed, found } = this.#options;
    return new PlaceWatch({
      look: () => findPlaces(entry, names),
      settings,
      clock,
      random,
      found: () => {
        found(entry.url);
        changed();
      },
      failed: (error) => {
        failed(entry.url, error);
        changed();
      },
    });
  }
}

/** What it was found to mean depends on these. */
function watchKey({ url, weight, zone }: EndpointEntry): string {
  return JSON.stringify([url, weight, zone]);
}
