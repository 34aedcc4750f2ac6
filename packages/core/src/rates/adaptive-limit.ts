import { LatencyWatch, type Seen } from "./latency-watch.ts";

export interface AdaptiveLimitSettings {
  /** At least so many requests may be under way, however slow they are. */
  readonly min: number;
  readonly max: number;
  /** Where it begins. */
  readonly initial: number;
  /** So many times as slow as without a load they may be. */
  readonly tolerance: number;
}

/** In one step, so that what was odd does not do much. */
const steepest = { fall: 0.5, rise: 1.5 };
/** While nothing is known: who has waited for less has not waited for long. */
const noticeableMs = 150;
/** Shorter delays are nobody's overload: CoDel's target (RFC 8289). */
const negligibleMs = 5;
/** Latency is below that fraction at half of the concurrency: then it is made by that, in part at least. */
const fellBelow = 0.75;
/** How far one judgement draws what is known of latency without a load. */
const smoothing = 0.2;
/** How long a latency without a load is believed while there is one. */
const believedMs = 60_000;
/** How long the first one is. */
const guessedMs = 1_000;
/** And at least, whatever speaks against it. */
const believedAtLeastMs = 5_000;
/** Clients that leave say that less is tolerated than was thought. */
const stricter = 0.8;

/**
 * - `following`: the limit follows the latency;
 * - `probing`: it is halved as long as latency falls with it, to learn what that is without a load; `from`: a limit, and the latency there.
 */
type Phase =
  | { readonly kind: "following" }
  | { readonly kind: "probing"; readonly from: number; readonly latencyMs: number; readonly resumeAt: number };

const following: Phase = Object.freeze({ kind: "following" });

/**
 * How many requests may be under way at a time, found out from how long they take: the gradient controller of Envoy's adaptive
 * concurrency filter, `limit × tolerance × latency without a load / latency + √limit`, again and again. What it takes from Netflix's
 * concurrency-limits: a limit that is not reached does not grow. Its own is how latency without a load is learnt: while half of
 * the limit is unused, and otherwise by halving the limit until that makes nothing faster. (ADR 37)
 *
 * Times are in milliseconds by the caller's clock.
 */
export class AdaptiveLimit {
  readonly #settings: AdaptiveLimitSettings;
  readonly #watch = new LatencyWatch();
  #limit: number;
  #phase: Phase = following;
  /** Latency without a load, as far as is known. */
  #baselineMs: number | undefined;
  /** Latency while half of the limit was unused; believed once that goes on, since a load that is about to come begins so. */
  #unused: number | undefined;
  #probedAt = Number.NEGATIVE_INFINITY;
  #learntAt = Number.NEGATIVE_INFINITY;
  /** The highest limit since then. */
  #highest: number;
  #doubtedAt = Number.NEGATIVE_INFINITY;

  constructor(settings: AdaptiveLimitSettings) {
    this.#settings = settings;
    this.#limit = settings.initial;
    this.#highest = settings.initial;
  }

  /** So many may be under way now. */
  get limit(): number {
    return Math.max(1, Math.floor(this.#limit));
  }

  /** As many more may wait: so they wait about as long as one of them takes. A probe holds requests back, and is soon over. */
  get maxWaiting(): number {
    return Math.max(1, Math.floor(this.#phase.kind === "probing" ? this.#phase.resumeAt * 2 : this.#limit));
  }

  /** One more is under way, and with it so many. Returns the number of its watch, to be told when it ends. */
  began(underWay: number, now: number): number {
    return this.#watch.began(underWay, now);
  }

  answered(watch: number, latencyMs: number, now: number): void {
    this.#judge(this.#watch.ended(watch, latencyMs, now), now);
  }

  /** Nobody waits for its answer any more. */
  unanswered(watch: number, waitedMs: number, now: number): void {
    const longEnough = waitedMs > (this.#baselineMs === undefined ? noticeableMs : this.#tolerated(this.#baselineMs));
    this.#judge(this.#watch.abandoned(watch, { waitedMs, longEnough }, now), now);
  }

  #judge(seen: Seen | undefined, now: number): void {
    if (seen === undefined) return;
    const { latencyMs, isBound } = seen;
    const isUsed = seen.peak * 2 >= this.limit;
    if (isBound) this.#doubtedAt = now;
    if (this.#phase.kind === "probing") {
      this.#probed(this.#phase, seen, now);
      return;
    }
    const baselineMs = this.#baselineMs;
    if (!isUsed) {
      const before = this.#unused;
      this.#unused = isBound ? undefined : latencyMs;
      if (before !== undefined) this.#learn(baselineMs === undefined ? before : drawn(baselineMs, before), now);
      return;
    }
    this.#unused = undefined;
    if (baselineMs === undefined && !isBound) {
      // As good a guess as any, by which it can grow; soon it is looked what it is worth.
      this.#learn(latencyMs, now - believedMs + guessedMs);
    } else if (!isBound && this.#isDoubtful(now)) {
      // These may have seen the load come: the next ones show what latency is at this limit.
      this.#probedAt = now;
      this.#phase = { kind: "probing", from: this.#limit, latencyMs: Number.POSITIVE_INFINITY, resumeAt: this.#limit };
      return;
    }
    if (baselineMs !== undefined) {
      if (isBound) this.#baselineMs = baselineMs * stricter;
      // Whatever it is without a load, it is not more than that.
      else if (latencyMs < baselineMs) this.#baselineMs = drawn(baselineMs, latencyMs);
    }
    this.#follow(seen);
  }

  /** While nothing is known of latency without a load, there is none that would be tolerated. */
  #follow({ latencyMs, isBound }: Seen): void {
    const toleratedMs = this.#baselineMs === undefined ? 0 : this.#tolerated(this.#baselineMs);
    const gradient = Math.min(steepest.rise, Math.max(steepest.fall, toleratedMs / latencyMs));
    const { min, max } = this.#settings;
    const kept = this.#limit * gradient;
    // Whose clients leave has no room for more.
    const headroom = isBound ? 0 : Math.sqrt(kept);
    this.#limit = Math.min(max, Math.max(min, kept + headroom));
    this.#highest = Math.max(this.#highest, this.#limit);
  }

  /** What is known was learnt long ago, or the limit has come down a good deal by it. What others left behind spoils a probe. */
  #isDoubtful(now: number): boolean {
    if (now - this.#doubtedAt < believedAtLeastMs) return false;
    if (now - this.#learntAt >= believedMs) return true;
    return this.#limit * 2 <= this.#highest && now - this.#probedAt >= believedAtLeastMs;
  }

  #probed(probe: Extract<Phase, { kind: "probing" }>, seen: Seen, now: number): void {
    const { from } = probe;
    const { latencyMs } = seen;
    if (seen.isBound) {
      this.#phase = following;
      this.#follow(seen);
      return;
    }
    const fell = latencyMs < probe.latencyMs * fellBelow;
    if (fell && this.limit > 1) {
      this.#phase = { ...probe, from: this.#limit, latencyMs };
      this.#limit /= 2;
      return;
    }
    this.#phase = following;
    this.#learn(fell ? latencyMs : (latencyMs + probe.latencyMs) / 2, now);
    // The highest at which it was as fast as that.
    this.#limit = Math.max(fell ? this.#limit : from, this.#settings.min);
    this.#highest = this.#limit;
  }

  #learn(baselineMs: number, now: number): void {
    this.#baselineMs = baselineMs;
    this.#learntAt = now;
    this.#highest = this.#limit;
  }

  #tolerated(baselineMs: number): number {
    return Math.max(baselineMs * this.#settings.tolerance, baselineMs + negligibleMs);
  }
}

function drawn(known: number, seen: number): number {
  return known + (seen - known) * smoothing;
}
