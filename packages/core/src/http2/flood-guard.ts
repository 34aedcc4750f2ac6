import { Allowance } from "./allowance.ts";

/** So many seconds' worth may come at once of what is bounded by the second. */
const burstSeconds = 10;
/** Frames that ask for nothing, on end. */
const maxIdleFrames = 10_000;
/** Of those, what a request, or a frame of DATA in either direction, makes good: windows are opened and priorities said for them. */
const perUse = 8;
/** Besides, one for so many bytes of it: some open a window for each little that they read. */
const bytesEach = 256;

export interface FloodLimits {
  readonly maxResetsPerSecond: number;
  readonly maxControlFramesPerSecond: number;
}

/** Knows when a client makes work for the sake of it. Each method answers false where that was more than it may. */
export class FloodGuard {
  readonly #now: () => number;
  readonly #resets: Allowance;
  readonly #controls: Allowance;
  #idle = 0;

  constructor(limits: FloodLimits, now: () => number) {
    this.#now = now;
    this.#resets = new Allowance(ratePerSecond(limits.maxResetsPerSecond), now());
    this.#controls = new Allowance(ratePerSecond(limits.maxControlFramesPerSecond), now());
  }

  /** A request was given up, or spoilt, before it was answered. */
  reset(): boolean {
    return this.#resets.take(this.#now());
  }

  /** A frame has to be answered: PING, SETTINGS. */
  control(): boolean {
    return this.#controls.take(this.#now());
  }

  /** A frame asks for nothing: DATA without any, PRIORITY, a few octets of a window, one that nobody knows. */
  idle(): boolean {
    return ++this.#idle <= maxIdleFrames;
  }

  /** A request came, or DATA of so many bytes, or went. */
  used(bytes: number): void {
    this.#idle = Math.max(0, this.#idle - perUse - Math.floor(bytes / bytesEach));
  }
}

function ratePerSecond(perSecond: number) {
  return { burst: perSecond * burstSeconds, perSecond };
}
