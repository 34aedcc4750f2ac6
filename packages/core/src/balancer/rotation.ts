import type { HealthTracker } from "../health/tracker.ts";
import type { Clock, Timer } from "../model/clock.ts";
import { type Endpoint, isNonEmpty } from "../model/endpoint.ts";
import { LbError } from "../model/errors.ts";
import type { RequestView } from "../model/request-view.ts";
import { SlowStart } from "../strategies/slow-start.ts";
import type { Picker, Strategy } from "../strategies/strategy.ts";
import type { Canary } from "./canary.ts";
import { Member } from "./member.ts";

export interface RotationOptions {
  readonly strategy: Strategy;
  readonly health: HealthTracker;
  readonly clock: Clock;
  /** Every endpoint that the tracker tracks has a member here. */
  readonly members: ReadonlyMap<Endpoint, Member>;
  readonly canary: Canary;
}

/**
 * The eligible members and the strategy's picker for them. Both are made when something changed and a request comes,
 * never for each request; and a strategy is not troubled when the same members are eligible as before.
 */
export class Rotation {
  readonly #strategy: Strategy;
  readonly #health: HealthTracker;
  readonly #clock: Clock;
  readonly #members: ReadonlyMap<Endpoint, Member>;
  readonly #canary: Canary;
  readonly #slowStart: SlowStart | undefined;
  #candidates: readonly Member[] = [];
  /** The strategy's picker for the candidates; undefined without any. */
  #picker: Picker | undefined;
  /** The picker if it wants to hear of changes of load. */
  #loadPicker: Picker | undefined;
  /** The picker in slow start, while anybody ramps; else the picker itself. */
  #ramped: Picker | undefined;
  #rampEnd: Timer | undefined;
  #stale = false;

  constructor({ strategy, health, clock, members, canary }: RotationOptions) {
    const { slowStartMs } = health.settings;
    this.#strategy = strategy;
    this.#health = health;
    this.#clock = clock;
    this.#members = members;
    this.#canary = canary;
    if (slowStartMs > 0) {
      const startedRampAt = (endpoint: Endpoint) => members.get(endpoint)?.rampStartedAt;
      this.#slowStart = new SlowStart({ slowStartMs, clock, startedRampAt });
    }
  }

  /** Members, healths or ramps changed: look at them again before the next pick. */
  invalidate(): void {
    this.#stale = true;
  }

  /** Somebody could be picked when it was last looked at. */
  get hadCandidates(): boolean {
    return this.#candidates.length > 0;
  }

  isEmpty(): boolean {
    if (this.#stale) this.#refresh();
    return this.#picker === undefined;
  }

  has(member: Member): boolean {
    if (this.#stale) this.#refresh();
    return member.listedIn === this.#candidates || (this.#canary.exists && this.canaries().includes(member));
  }

  /** Those of the canary's endpoints that may be picked. */
  canaries(): readonly Member[] {
    const eligible = this.#health.eligible().filter((endpoint) => this.#canary.endpoints.has(endpoint));
    return eligible.map((endpoint) => this.#members.get(endpoint)!);
  }

  /** Whether there is a candidate that is not in `exclude`. */
  hasOtherThan(exclude: ReadonlySet<Endpoint>): boolean {
    if (this.#stale) this.#refresh();
    return exclude.size < this.#candidates.length || this.#candidates.some(({ endpoint }) => !exclude.has(endpoint));
  }

  /** There must be a candidate that is not in `exclude`. */
  pick(request: RequestView, exclude: ReadonlySet<Endpoint> | undefined): Member {
    if (this.#stale) this.#refresh();
    const picker = this.#ramped!;
    let candidate = picker.pick(request, exclude);
    if (this.#health.onTrial !== 0) {
      const openTrials = this.#health.openTrials();
      if (openTrials.has(candidate.endpoint)) {
        const avoided = new Set([...openTrials, ...(exclude ?? [])]);
        if (this.hasOtherThan(avoided)) candidate = picker.pick(request, avoided);
      }
    }
    if (candidate instanceof Member) return candidate;
    throw new LbError(
      "LB_STRATEGY",
      `Strategy "${this.#strategy.name}" picked something else than a candidate: return one of those that picker() got`,
    );
  }

  /** Tells the picker, if it keeps an order by load. */
  loadChanged(member: Member): void {
    if (this.#loadPicker !== undefined) this.#loadPicker.loadChanged!(member);
  }

  close(): void {
    this.#rampEnd?.cancel();
  }

  #refresh(): void {
    const eligible = this.#regulars();
    const before = this.#candidates;
    const same =
      eligible.length === before.length && eligible.every((endpoint, index) => before[index]!.endpoint === endpoint);
    if (!same) this.#replace(eligible.map((endpoint) => this.#members.get(endpoint)!));
    this.#ramped = this.#picker;
    if (this.#slowStart !== undefined) this.#ramp(this.#slowStart);
    this.#stale = false;
  }

  /** All eligible endpoints but the canary's, unless these are all there are. */
  #regulars(): readonly Endpoint[] {
    const eligible = this.#health.eligible();
    if (!this.#canary.exists) return eligible;
    const regulars = eligible.filter((endpoint) => !this.#canary.endpoints.has(endpoint));
    return regulars.length === 0 ? eligible : regulars;
  }

  #replace(candidates: readonly Member[]): void {
    this.#picker = isNonEmpty(candidates) ? this.#strategy.picker(candidates) : undefined;
    this.#loadPicker = this.#picker?.loadChanged === undefined ? undefined : this.#picker;
    this.#candidates = candidates;
    for (const member of candidates) member.listedIn = candidates;
  }

  #ramp(slowStart: SlowStart): void {
    this.#rampEnd?.cancel();
    this.#rampEnd = undefined;
    if (this.#picker === undefined || !isNonEmpty(this.#candidates)) return;
    this.#ramped = slowStart.wrap(this.#picker, this.#candidates);
    // Once the ramps are over, requests should not pay for them any more.
    if (this.#ramped !== this.#picker) {
      this.#rampEnd = this.#clock.after(this.#health.settings.slowStartMs, () => this.invalidate());
    }
  }
}
