import type { Clock, Timer } from "../model/clock.ts";
import type { Random } from "../model/random.ts";
import type { FoundPlaces, Place } from "./places.ts";

/** How often names are looked up. */
export interface LookupSettings {
  /** At least so long an answer is used, whatever its TTL. */
  readonly minTtlMs: number;
  /** At most. */
  readonly maxTtlMs: number;
}

export interface PlaceWatchOptions {
  readonly look: () => Promise<FoundPlaces>;
  readonly settings: LookupSettings;
  readonly clock: Clock;
  readonly random: Random;
  /** There is an answer, after none or another one; or the same again, after a failure. */
  readonly found: () => void;
  /** There is none; what was found before stays. Told of each time. */
  readonly failed: (error: Error) => void;
}

const retryMs = { first: 1_000, most: 30_000 };
/** Of the time that an answer is used: those who ask for the same do not all ask at once. */
const jitter = 0.1;

/**
 * - `asking`;
 * - `waiting`: until the answer is out of date, or the next try;
 * - `closed`.
 */
type State =
  | { readonly kind: "asking" }
  | { readonly kind: "waiting"; readonly timer: Timer }
  | { readonly kind: "closed" };

/** Follows what a name means, and keeps what it meant last where it cannot be found out. */
export class PlaceWatch {
  readonly #options: PlaceWatchOptions;
  #state: State = { kind: "asking" };
  #places: readonly Place[] | undefined;
  /** In a row. */
  #failures = 0;

  constructor(options: PlaceWatchOptions) {
    this.#options = options;
    this.#ask();
  }

  /** Undefined: never found out yet. */
  get places(): readonly Place[] | undefined {
    return this.#places;
  }

  /** It was asked, and answered or not. */
  get isSettled(): boolean {
    return this.#places !== undefined || this.#failures > 0;
  }

  close(): void {
    if (this.#state.kind === "waiting") this.#state.timer.cancel();
    this.#state = { kind: "closed" };
  }

  #ask(): void {
    this.#state = { kind: "asking" };
    this.#options.look().then(
      (answer) => this.#answered(answer),
      (error: Error) => this.#failed(error),
    );
  }

  #answered({ places, ttlMs }: FoundPlaces): void {
    if (this.#state.kind === "closed") return;
    const { minTtlMs, maxTtlMs } = this.#options.settings;
    const wasWell = this.#places !== undefined && this.#failures === 0;
    const changed = !sameIds(this.#places ?? [], places) || this.#places === undefined;
    this.#failures = 0;
    this.#places = places;
    this.#wait(Math.min(Math.max(ttlMs, minTtlMs), maxTtlMs));
    if (changed || !wasWell) this.#options.found();
  }

  #failed(error: Error): void {
    if (this.#state.kind === "closed") return;
    this.#failures += 1;
    this.#wait(Math.min(retryMs.first * 2 ** (this.#failures - 1), retryMs.most));
    this.#options.failed(error);
  }

  #wait(ms: number): void {
    const { clock, random } = this.#options;
    this.#state = { kind: "waiting", timer: clock.after(ms * (1 + jitter * random()), () => this.#ask()) };
  }
}

function sameIds(some: readonly Place[], others: readonly Place[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ id, weight }, at) => others[at]!.id === id && others[at]!.weight === weight)
  );
}
