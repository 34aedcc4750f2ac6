import type { HealthChange } from "../health/state.ts";
import type { HealthTracker } from "../health/tracker.ts";
import type { LatencyOptions } from "../load/endpoint-load.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { Member } from "./member.ts";
import { emptyRoster, nextRoster, type Roster } from "./roster.ts";
import type { BalancerEvent } from "./status.ts";

export interface MembershipOptions {
  readonly health: HealthTracker;
  /** Undefined: response times are not measured. */
  readonly latency: LatencyOptions | undefined;
  /** Something happened that nobody asked for. */
  readonly changed: (events: readonly BalancerEvent[]) => void;
}

/**
 * Who belongs to a balancer: how endpoints join, drain and leave, and what there is to tell of it. What was asked for is
 * told by what it returns, once all of it is done.
 */
export class Membership {
  /** The roster's, and those that left it and linger or have leases open. */
  readonly members = new Map<Endpoint, Member>();
  readonly #health: HealthTracker;
  #latency: LatencyOptions | undefined;
  #roster = emptyRoster;
  #inRoster: ReadonlySet<Endpoint> = new Set();
  /** Changes of health while the tracker gets other endpoints, told once our own state fits them. */
  #heldChanges: HealthChange[] | undefined;

  constructor({ health, latency, changed }: MembershipOptions) {
    this.#health = health;
    this.#latency = latency;
    health.subscribe((change) => {
      if (this.#heldChanges === undefined) changed([this.#healthEvent(change)]);
      else this.#heldChanges.push(change);
    });
  }

  /** Response times are measured in this way from now on. */
  measure(latency: LatencyOptions | undefined): void {
    if (latency?.decayMs === this.#latency?.decayMs) return;
    this.#latency = latency;
    for (const member of this.members.values()) member.measure(latency);
  }

  get roster(): Roster {
    return this.#roster;
  }

  /**
   * Replaces the roster. Those who join ramp up from `rampStartedAt` on; undefined: they are at full weight.
   *
   * @throws OptionError if two endpoints have the same id
   */
  replace(
    endpoints: readonly Endpoint[],
    lingering: readonly Endpoint[],
    rampStartedAt: number | undefined,
  ): readonly BalancerEvent[] {
    const before = this.#inRoster;
    const lingered = this.#roster.lingering;
    const roster = nextRoster(this.#roster, endpoints, lingering);
    this.#roster = roster;
    this.#inRoster = new Set(endpoints);
    const joining = endpoints.filter((endpoint) => !before.has(endpoint));
    const leaving = [...before].filter((endpoint) => !this.#inRoster.has(endpoint));

    const changes = this.#track(
      endpoints.filter((endpoint) => !before.has(endpoint) || this.members.get(endpoint)!.phase === "serving"),
    );
    for (const endpoint of joining) this.#join(endpoint, rampStartedAt);
    const left = leaving.map((endpoint) => this.members.get(endpoint)!);
    const draining = left.filter(({ phase }) => phase === "serving");
    for (const member of draining) member.phase = "draining";
    for (const member of left) if (member.phase === "drained") this.members.delete(member.endpoint);
    const gone = lingered
      .flatMap((endpoint) => this.members.get(endpoint) ?? [])
      .filter(({ phase, endpoint }) => phase === "drained" && !this.#lingers(endpoint));
    return [
      { type: "roster", roster },
      ...changes.map((change) => this.#healthEvent(change)),
      ...draining.flatMap((member) => this.#drainEvents(member)),
      ...gone.flatMap((member) => this.drained(member)),
    ];
  }

  /** It gets no new leases from now on. Undefined: it did not before. */
  drain(endpoint: Endpoint): readonly BalancerEvent[] | undefined {
    const member = this.members.get(endpoint);
    if (member === undefined || member.phase !== "serving") return undefined;
    member.phase = "draining";
    const serving = this.#roster.endpoints.filter((other) => this.members.get(other)!.phase === "serving");
    const changes = this.#track(serving);
    return [...changes.map((change) => this.#healthEvent(change)), ...this.#drainEvents(member)];
  }

  /**
   * Its last lease has ended, and it gets no new ones. One that lingers may be given leases again, so that its figures are
   * not final, and nothing is told.
   */
  drained(member: Member): readonly BalancerEvent[] {
    const { endpoint, requests, failures } = member;
    member.phase = "drained";
    for (const resolve of member.awaitingDrain ?? []) resolve();
    member.awaitingDrain = undefined;
    if (this.#lingers(endpoint)) return [];
    if (!this.#inRoster.has(endpoint)) this.members.delete(endpoint);
    return [{ type: "drained", endpoint, requests, failures }];
  }

  /** It may be given leases, if only for sessions that live there. */
  isReachable(endpoint: Endpoint): boolean {
    return this.members.has(endpoint) && (this.#inRoster.has(endpoint) || this.#lingers(endpoint));
  }

  #track(serving: readonly Endpoint[]): readonly HealthChange[] {
    const changes: HealthChange[] = [];
    this.#heldChanges = changes;
    this.#health.track(serving);
    this.#heldChanges = undefined;
    return changes;
  }

  #join(endpoint: Endpoint, rampStartedAt: number | undefined): void {
    const health = this.#health.of(endpoint)!;
    // One that left a moment ago, and has leases open, is back.
    const member = this.members.get(endpoint) ?? new Member(endpoint, health, this.#latency);
    member.health = health;
    member.phase = "serving";
    member.rampStartedAt = rampStartedAt;
    this.members.set(endpoint, member);
  }

  #drainEvents(member: Member): readonly BalancerEvent[] {
    const { endpoint, inFlight } = member;
    const draining = { type: "draining", endpoint } as const;
    return inFlight === 0 ? [draining, ...this.drained(member)] : [draining];
  }

  #lingers(endpoint: Endpoint): boolean {
    return this.#roster.lingering.includes(endpoint);
  }

  #healthEvent(change: HealthChange): BalancerEvent {
    if (change.to.kind === "healthy") {
      const member = this.members.get(change.endpoint);
      if (member !== undefined) member.rampStartedAt = change.to.since;
    }
    return { type: "health", ...change };
  }
}
