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
  /** The first is the one that chooses where nothing else is said. */
  readonly strategies: readonly Strategy[];
  readonly health: HealthTracker;
  readonly clock: Clock;
  /** Every endpoint that the tracker tracks has a member here. */
  readonly members: ReadonlyMap<Endpoint, Member>;
  readonly canary: Canary;
}

/** One strategy's way to pick one of the candidates. */
interface Choice {
  readonly strategy: Strategy;
  /** For the candidates; undefined without any. */
  picker: Picker | undefined;
  /** The picker in slow start, while anybody ramps; else the picker itself. */
  ramped: Picker | undefined;
}

/**
 * The eligible members and the strategies' pickers for them. Both are made when something changed and a request comes,
 * never for each request; and a strategy is not troubled when the same members are eligible as before.
 */
export class Rotation {
  #choices: readonly Choice[];
  readonly #health: HealthTracker;
  readonly #clock: Clock;
  readonly #members: ReadonlyMap<Endpoint, Member>;
  readonly #canary: Canary;
  #slowStart: SlowStart | undefined;
  #candidates: readonly Member[] = [];
  /** Those pickers that want to hear of changes of load. */
  #loadPickers: readonly Picker[] = [];
  #rampEnd: Timer | undefined;
  #stale = false;

  constructor({ strategies, health, clock, members, canary }: RotationOptions) {
    this.#choices = choicesOf(strategies);
    this.#health = health;
    this.#clock = clock;
    this.#members = members;
    this.#canary = canary;
    this.#slowStart = this.#slowStartNow();
  }

  /** These choose from now on, and ramps are as the tracker's settings say now. */
  use(strategies: readonly Strategy[]): void {
    this.#choices = choicesOf(strategies);
    this.#slowStart = this.#slowStartNow();
    this.#replace(this.#candidates);
    this.#stale = true;
  }

  #slowStartNow(): SlowStart | undefined {
    const { slowStartMs } = this.#health.settings;
    if (slowStartMs === 0) return undefined;
    const startedRampAt = (endpoint: Endpoint) => this.#members.get(endpoint)?.rampStartedAt;
    return new SlowStart({ slowStartMs, clock: this.#clock, startedRampAt });
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
    return this.#candidates.length === 0;
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

  /** There must be a candidate that is not in `exclude`. `by`: the number of the strategy that chooses. */
  pick(request: RequestView, exclude: ReadonlySet<Endpoint> | undefined, by = 0): Member {
    if (this.#stale) this.#refresh();
    // One that has waited while the strategies were changed may ask for one that is none any more.
    const { strategy, ramped } = this.#choices[by] ?? this.#choices[0]!;
    const picker = ramped!;
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
      `Strategy "${strategy.name}" picked something else than a candidate: return one of those that picker() got`,
    );
  }

  /** Tells the pickers that keep an order by load. */
  loadChanged(member: Member): void {
    for (const picker of this.#loadPickers) picker.loadChanged!(member);
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
    for (const choice of this.#choices) choice.ramped = choice.picker;
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
    for (const choice of this.#choices) {
      choice.picker = isNonEmpty(candidates) ? choice.strategy.picker(candidates) : undefined;
    }
    const pickers = this.#choices.flatMap(({ picker }) => picker ?? []);
    this.#loadPickers = pickers.filter(({ loadChanged }) => loadChanged !== undefined);
    this.#candidates = candidates;
    for (const member of candidates) member.listedIn = candidates;
  }

  #ramp(slowStart: SlowStart): void {
    this.#rampEnd?.cancel();
    this.#rampEnd = undefined;
    if (!isNonEmpty(this.#candidates)) return;
    for (const choice of this.#choices) choice.ramped = slowStart.wrap(choice.picker!, this.#candidates);
    // Once the ramps are over, requests should not pay for them any more.
    if (this.#choices.some(({ picker, ramped }) => ramped !== picker)) {
      this.#rampEnd = this.#clock.after(this.#health.settings.slowStartMs, () => this.invalidate());
    }
  }
}

function choicesOf(strategies: readonly Strategy[]): readonly Choice[] {
  return strategies.map((strategy) => ({ strategy, picker: undefined, ramped: undefined }));
}
