/** So long, and until they are so many, requests that begin are watched; then what they showed is judged. */
const gatherMs = 100;
const minWatched = 20;
/** Others that begin meanwhile are not watched. */
const maxWatched = 256;
/** So many have ended by then: the median does not wait for those that take longest, and none is left out for taking long. */
const endedShare = 0.75;
/** Where more had no answer, it is not known how slow they are. */
const maxUnansweredShare = 0.25;

/** What the watched requests showed. */
export interface Seen {
  /** The median, in milliseconds. */
  readonly latencyMs: number;
  /** So many had no answer that this is a lower bound. */
  readonly isBound: boolean;
  /** So many requests were under way at a time. */
  readonly peak: number;
}

/**
 * Watches requests that begin, some dozens after some dozens, and says how long they take: of those that were chosen when they
 * began, since of those that end in a time the quick ones are too many.
 */
export class LatencyWatch {
  readonly #samples = new Float64Array(maxWatched);
  #number = 1;
  /** When the first of them began. Undefined: none has. */
  #openedAt: number | undefined;
  #gathers = true;
  #watched = 0;
  #ended = 0;
  #unanswered = 0;
  #peak = 0;

  /** One more is under way, and with it so many. Returns the number of its watch, to be told when it ends; 0: it is not watched. */
  began(underWay: number, now: number): number {
    if (!this.#gathers) return 0;
    this.#openedAt ??= now;
    if (underWay > this.#peak) this.#peak = underWay;
    if (this.#watched >= minWatched && now - this.#openedAt >= gatherMs) this.#gathers = false;
    if (this.#watched >= maxWatched) return 0;
    this.#watched++;
    return this.#number;
  }

  /** One of them has ended; all that is known once they have shown enough. */
  ended(number: number, latencyMs: number, now: number): Seen | undefined {
    if (number !== this.#number) return undefined;
    this.#samples[this.#ended] = latencyMs;
    this.#ended++;
    if (this.#watched < minWatched || this.#ended < this.#watched * endedShare) return undefined;
    return now - this.#openedAt! < gatherMs ? undefined : this.#close();
  }

  /** As `ended`, for one that nobody waits for any more. `longEnough`: for others to have been answered by then. */
  abandoned(
    number: number,
    { waitedMs, longEnough }: { readonly waitedMs: number; readonly longEnough: boolean },
    now: number,
  ): Seen | undefined {
    if (number !== this.#number) return undefined;
    if (longEnough) {
      this.#unanswered++;
      return this.ended(number, waitedMs, now);
    }
    // As if it had not been watched.
    this.#watched--;
    if (this.#watched < minWatched) this.#gathers = true;
    return undefined;
  }

  #close(): Seen {
    const samples = this.#samples.subarray(0, this.#ended).sort();
    const seen = {
      // Those that have not ended yet are slower than all.
      latencyMs: samples[Math.min(this.#ended - 1, this.#watched >> 1)]!,
      isBound: this.#unanswered > this.#ended * maxUnansweredShare,
      peak: this.#peak,
    };
    this.#number++;
    this.#openedAt = undefined;
    this.#gathers = true;
    this.#watched = 0;
    this.#ended = 0;
    this.#unanswered = 0;
    this.#peak = 0;
    return seen;
  }
}
