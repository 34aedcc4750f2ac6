import type { Candidate } from "../model/candidate.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint, NonEmpty } from "../model/endpoint.ts";
import { OptionError } from "../model/errors.ts";
import type { RequestView } from "../model/request-view.ts";
import type { Picker } from "./strategy.ts";

export interface SlowStartOptions {
  /** How long an endpoint takes to its full weight; > 0. */
  readonly slowStartMs: number;
  /** Part of its weight it starts with, in (0, 1]. Default 0.1. */
  readonly minShare?: number;
  readonly clock: Clock;
  /** When the endpoint's ramp began, in the clock's time; undefined: at full weight. Asked once per {@link SlowStart.wrap}. */
  readonly startedRampAt: (endpoint: Endpoint) => number | undefined;
}

/** Picks that a ramping endpoint may save up while it is not chosen. */
const MAX_CREDIT = 4;

/** Shares are brought up to date this many times per ramp. */
const STEPS = 100;

/**
 * Slow start for any strategy (HAProxy `slowstart`, Envoy `slow_start_config`): the weight of a new or recovered
 * endpoint rises linearly from `minShare` of it to all of it.
 *
 * The strategy knows nothing of it. Each ramping endpoint earns its part of every pick, ramped weight / sum of ramped
 * weights, as credit; chosen with less than one credit it is held back, and the strategy is asked once more without
 * all that are to be held back. To refuse picks at random would do for a rotation, but not where the idle endpoint is
 * chosen every time: least-connections offers a new one of a hundred each pick, and a tenth of all of them is ten times
 * its full part. The endpoints furthest in their ramp, or at full weight, are never held back: a fresh cluster, all of
 * it ramping, has nobody to spare.
 */
export class SlowStart {
  readonly #options: Required<SlowStartOptions>;
  #previous: RampingPicker | undefined;

  /** @throws OptionError when `slowStartMs` is not a finite number > 0 or `minShare` not in (0, 1] */
  constructor(options: SlowStartOptions) {
    const { slowStartMs, minShare = 0.1 } = options;
    if (!(Number.isFinite(slowStartMs) && slowStartMs > 0)) {
      throw new OptionError("slowStartMs", slowStartMs, "give a number of milliseconds greater than 0");
    }
    if (!(minShare > 0 && minShare <= 1)) {
      throw new OptionError("minShare", minShare, "give a share greater than 0 and at most 1, e.g. 0.1");
    }
    this.#options = { ...options, minShare };
  }

  /** The picker itself when no candidate is ramping: then slow start costs nothing. */
  wrap(picker: Picker, candidates: NonEmpty<Candidate>): Picker {
    const { startedRampAt, clock, slowStartMs } = this.#options;
    const now = clock.now();
    const ramps: Ramp[] = [];
    for (const { endpoint } of candidates) {
      const startedAt = startedRampAt(endpoint);
      if (startedAt === undefined || now - startedAt >= slowStartMs) continue;
      const credit = this.#previous?.creditOf(endpoint, startedAt) ?? 0;
      ramps.push({ endpoint, startedAt, share: 0, earns: 0, credit, settledAt: 0 });
    }
    this.#previous = ramps.length === 0 ? undefined : new RampingPicker(picker, candidates, ramps, this.#options);
    return this.#previous ?? picker;
  }
}

interface Ramp {
  readonly endpoint: Endpoint;
  readonly startedAt: number;
  /** Part of the weight it has now. */
  share: number;
  /** Credit per pick; 1 when it need not be held back. */
  earns: number;
  credit: number;
  /** Number of the pick up to which it was given what it earned. */
  settledAt: number;
}

class RampingPicker implements Picker {
  readonly #inner: Picker;
  readonly #candidates: readonly Candidate[];
  readonly #ramps: ReadonlyMap<Endpoint, Ramp>;
  readonly #options: Required<SlowStartOptions>;
  #picks = 0;
  /** When shares are to be brought up to date; Infinity once every ramp has ended. */
  #staleAt = Number.NEGATIVE_INFINITY;

  constructor(
    inner: Picker,
    candidates: NonEmpty<Candidate>,
    ramps: readonly Ramp[],
    options: Required<SlowStartOptions>,
  ) {
    this.#inner = inner;
    this.#candidates = [...candidates];
    this.#ramps = new Map(ramps.map((ramp) => [ramp.endpoint, ramp]));
    this.#options = options;
    this.#refreshShares();
  }

  pick(request: RequestView, exclude?: ReadonlySet<Endpoint>): Candidate {
    this.#picks += 1;
    this.#refreshShares();
    const chosen = this.#inner.pick(request, exclude);
    const ramp = this.#ramps.get(chosen.endpoint);
    if (ramp === undefined || this.#spend(ramp)) return chosen;
    const held = new Set(exclude);
    for (const other of this.#ramps.values()) if (this.#settle(other) < 1) held.add(other.endpoint);
    if (this.#candidates.every(({ endpoint }) => held.has(endpoint))) return chosen;
    const instead = this.#inner.pick(request, held);
    const spent = this.#ramps.get(instead.endpoint);
    if (spent !== undefined) this.#spend(spent);
    return instead;
  }

  loadChanged(candidate: Candidate): void {
    this.#inner.loadChanged?.(candidate);
  }

  creditOf(endpoint: Endpoint, startedAt: number): number | undefined {
    const ramp = this.#ramps.get(endpoint);
    return ramp?.startedAt === startedAt ? this.#settle(ramp) : undefined;
  }

  #spend(ramp: Ramp): boolean {
    if (this.#settle(ramp) < 1) return false;
    ramp.credit -= 1;
    return true;
  }

  #settle(ramp: Ramp): number {
    ramp.credit = Math.min(MAX_CREDIT, ramp.credit + (this.#picks - ramp.settledAt) * ramp.earns);
    ramp.settledAt = this.#picks;
    return ramp.credit;
  }

  #refreshShares(): void {
    if (this.#staleAt === Number.POSITIVE_INFINITY) return;
    const { clock, slowStartMs, minShare } = this.#options;
    const now = clock.now();
    if (now < this.#staleAt) return;
    let largest = 0;
    let rampedWeight = 0;
    for (const { endpoint } of this.#candidates) {
      const ramp = this.#ramps.get(endpoint);
      const progress = ramp === undefined ? 1 : Math.min(1, Math.max(0, now - ramp.startedAt) / slowStartMs);
      const share = minShare + (1 - minShare) * progress;
      if (ramp !== undefined) ramp.share = share;
      largest = Math.max(largest, share);
      rampedWeight += share * endpoint.weight;
    }
    let ended = true;
    for (const ramp of this.#ramps.values()) {
      this.#settle(ramp);
      if (ramp.share < 1) ended = false;
      if (ramp.share < largest) {
        ramp.earns = (ramp.share * ramp.endpoint.weight) / rampedWeight;
      } else {
        // A whole pick for each pick, and one in hand: it can always pay.
        ramp.earns = 1;
        ramp.credit = MAX_CREDIT;
      }
    }
    this.#staleAt = ended ? Number.POSITIVE_INFINITY : now + slowStartMs / STEPS;
  }
}
