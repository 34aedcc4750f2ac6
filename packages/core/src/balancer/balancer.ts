import type { HealthTracker } from "../health/tracker.ts";
import type { LatencyOptions } from "../load/endpoint-load.ts";
import type { RequestBooks } from "../load/reported-load.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { Listeners } from "../model/listeners.ts";
import type { RequestView } from "../model/request-view.ts";
import type { HealthSettings } from "../options/health-options.ts";
import type { WaitQueueSettings } from "../options/queue-options.ts";
import type { RetryBudgetSettings } from "../options/retry-budget-options.ts";
import type { Strategy } from "../strategies/strategy.ts";
import { Canary } from "./canary.ts";
import { FullEndpoints } from "./full-endpoints.ts";
import type { Lease } from "./lease.ts";
import { Ledger } from "./ledger.ts";
import type { Member } from "./member.ts";
import { Membership } from "./membership.ts";
import { RetryBudget } from "./retry-budget.ts";
import type { Roster } from "./roster.ts";
import { Rotation } from "./rotation.ts";
import {
  type BalancerEvent,
  type BalancerStatus,
  endpointStatus,
  type Unavailable,
  type UnavailableReason,
} from "./status.ts";
import { type Waiter, WaitQueue } from "./wait-queue.ts";

export type { Lease } from "./lease.ts";

export interface BalancerOptions {
  readonly strategy: Strategy;
  /** Others that requests may ask for, by their numbers from 1 on. Default: none. */
  readonly others?: readonly Strategy[];
  /** The balancer's own from here on: it tells the tracker the endpoints, and closes it. */
  readonly health: HealthTracker;
  readonly clock: Clock;
  readonly queue: WaitQueueSettings;
  /** Told of each request that found the queue full, or waited in it in vain. */
  readonly refused?: (reason: "queue-full" | "wait-timeout") => void;
  readonly retryBudget: RetryBudgetSettings;
  /** So many leases may be open on an endpoint; requests wait while all have that many. Default: any number. */
  readonly maxInFlight?: number;
}

/** What of it can be changed while it gives leases. */
export interface BalancerRules extends Pick<BalancerOptions, "strategy" | "others" | "queue" | "retryBudget"> {
  readonly health: HealthSettings;
}

/** What an endpoint is wanted for. */
interface Asked {
  readonly request: RequestView;
  readonly exclude: ReadonlySet<Endpoint> | undefined;
  readonly by: number;
}

/** Gives requests leases on endpoints. Filter, then pick: health and drains decide who may be chosen, a strategy chooses. */
export class Balancer {
  readonly health: HealthTracker;
  readonly #clock: Clock;
  readonly #queue: WaitQueue;
  readonly #budget: RetryBudget;
  readonly #rotation: Rotation;
  readonly #canary = new Canary();
  readonly #ledger: Ledger;
  readonly #events = new Listeners<BalancerEvent>();
  readonly #membership: Membership;
  /** The membership's: leases are taken of these. */
  readonly #members: ReadonlyMap<Endpoint, Member>;
  readonly #full: FullEndpoints;
  /** Kept from all that do not belong there. */
  #aside: Endpoint | undefined;
  #serving: "no" | "yes" | "again" = "no";
  #closed = false;

  constructor({ strategy, others = [], health, clock, queue, refused, retryBudget, ...rest }: BalancerOptions) {
    this.health = health;
    this.#clock = clock;
    this.#queue = new WaitQueue(queue, clock, refused);
    this.#budget = new RetryBudget(retryBudget, clock);
    const strategies = [strategy, ...others];
    const latency = latencyOf(strategies, clock);
    this.#membership = new Membership({ health, latency, changed: (events) => this.#publish(events) });
    const { members } = this.#membership;
    this.#full = new FullEndpoints(rest.maxInFlight ?? Number.POSITIVE_INFINITY);
    this.#members = members;
    this.#rotation = new Rotation({ strategies, health, clock, members, canary: this.#canary });
    this.#ledger = new Ledger({
      rotation: this.#rotation,
      health,
      clock,
      measuresLatency: latency !== undefined,
      loadChanged: rest.maxInFlight === undefined ? undefined : (member) => this.#loadChanged(member),
      drained: (member) => this.#publish(this.#membership.drained(member)),
    });
  }

  /** Goes by these from now on. Leases, health and who waits stay as they are. */
  use({ strategy, others = [], health, queue, retryBudget }: BalancerRules): void {
    const strategies = [strategy, ...others];
    const latency = latencyOf(strategies, this.#clock);
    this.#queue.use(queue);
    this.#budget.use(retryBudget);
    this.#membership.measure(latency);
    this.#ledger.measure(latency !== undefined);
    this.health.use(health);
    this.#rotation.use(strategies);
    this.#serveWaiting();
  }

  get roster(): Roster {
    return this.#membership.roster;
  }

  /**
   * A lease on an endpoint for `request`, or why there is none. `exclude`: endpoints already tried for this request;
   * without it, the request is a new one and adds to the retry budget. `by`: the number of the strategy that chooses.
   */
  acquire(request: RequestView, exclude?: ReadonlySet<Endpoint>, by = 0): Lease | Unavailable {
    const rotation = this.#rotation;
    if (rotation.isEmpty()) return this.#nobody();
    if (this.#aside !== undefined || this.#full.endpoints.size > 0)
      return this.#acquireBeside({ request, exclude, by });
    if (exclude === undefined || exclude.size === 0) {
      this.#budget.deposit();
      return this.#ledger.begin(this.#canaryDue() ?? rotation.pick(request, undefined, by));
    }
    if (!rotation.hasOtherThan(exclude)) return unavailable["all-excluded"];
    return this.#ledger.begin(rotation.pick(request, exclude, by));
  }

  /**
   * Keeps what `acquire` gives away from this endpoint until it is called with another, or with none; requests that would
   * have gone there wait if there is nobody else. What belongs there by an affinity still goes there.
   */
  setAside(endpoint: Endpoint | undefined): void {
    if (this.#aside === endpoint) return;
    this.#aside = endpoint;
    this.#serveWaiting();
  }

  /** Leases open on `endpoint` of which nothing was observed yet; undefined if it takes no new ones. */
  unansweredAt(endpoint: Endpoint): number | undefined {
    const member = this.#members.get(endpoint);
    return member?.phase === "serving" ? member.inFlight - member.observed : undefined;
  }

  /** A lease on this very endpoint, for affinities; undefined if it may not be given one. */
  acquireAt(endpoint: Endpoint): Lease | undefined {
    if (!this.takes(endpoint)) return undefined;
    this.#budget.deposit();
    return this.#ledger.begin(this.#members.get(endpoint)!);
  }

  /** Whether {@link acquireAt} has a lease on it. */
  takes(endpoint: Endpoint): boolean {
    const member = this.#members.get(endpoint);
    if (member === undefined || !this.#rotation.has(member) || this.#full.endpoints.has(endpoint)) return false;
    return this.health.onTrial === 0 || !this.health.openTrials().has(endpoint);
  }

  /**
   * A lease on this very endpoint whatever its health, and also while it lingers: for requests that nobody else can
   * serve. Undefined if it is gone.
   */
  acquireOnly(endpoint: Endpoint): Lease | undefined {
    if (!this.reaches(endpoint)) return undefined;
    const member = this.#members.get(endpoint)!;
    if (member.phase === "drained") member.phase = "draining";
    this.#budget.deposit();
    return this.#ledger.begin(member);
  }

  /** Whether {@link acquireOnly} has a lease on it. */
  reaches(endpoint: Endpoint): boolean {
    return this.#membership.isReachable(endpoint);
  }

  /**
   * Tries endpoints out: of the requests that `acquire` gets, this share goes to them and the rest to the others,
   * retries included. They need not be in the roster yet. Without endpoints it is over.
   */
  setCanary(endpoints: readonly Endpoint[], share = 0): void {
    this.#canary.set(endpoints, share);
    this.#rotation.invalidate();
  }

  /**
   * Where requests at `endpoint` are booked that come without a lease, because they are seen by the endpoint itself and
   * reported. Undefined: it is not in the roster.
   */
  booksOf(endpoint: Endpoint): RequestBooks | undefined {
    const member = this.#members.get(endpoint);
    return member === undefined ? undefined : this.#ledger.booksOf(member);
  }

  /**
   * As `acquire`, but where there is no endpoint the request waits for one. One of `waiter`'s calls is made, possibly
   * before this returns. Returns the call that stops waiting; it does nothing once one was made.
   */
  acquireOrWait(request: RequestView, waiter: Waiter): () => void {
    const found = this.acquire(request, waiter.exclude, waiter.by);
    if (found.kind === "lease") {
      waiter.onLease(found);
      return () => {};
    }
    if (found.reason === "closed") {
      waiter.onRefused("closed");
      return () => {};
    }
    return this.#queue.add(request, waiter);
  }

  /** Takes one retry out of the budget; false: the request must not be tried again. */
  withdrawRetry(): boolean {
    return this.#budget.withdraw();
  }

  /**
   * Replaces the roster. What is known of endpoints that stay (the same objects) is kept; leases on those that leave
   * stay valid until they are released. Those of them in `lingering` can still be given leases, by `acquireOnly`.
   *
   * @throws OptionError if two endpoints have the same id
   */
  update(endpoints: readonly Endpoint[], lingering: readonly Endpoint[] = []): void {
    if (this.#closed) return;
    // Where nobody served before, all are equally cold, and there is nothing to ramp for.
    const rampStartedAt = this.#rotation.hadCandidates ? this.#clock.now() : undefined;
    this.#publish(this.#membership.replace(endpoints, lingering, rampStartedAt));
  }

  /** From now on `endpoint` gets no new leases; open ones go on. It cannot be taken back for this endpoint. */
  setDraining(endpoint: Endpoint): void {
    const events = this.#membership.drain(endpoint);
    if (events !== undefined) this.#publish(events);
  }

  /** Resolves when `endpoint` has left or was set to drain, and its last lease has ended. */
  drained(endpoint: Endpoint): Promise<void> {
    const member = this.#members.get(endpoint);
    if (member === undefined || member.phase === "drained") return Promise.resolve();
    return new Promise((resolve) => {
      member.awaitingDrain ??= [];
      member.awaitingDrain.push(resolve);
    });
  }

  /** Resolves when those leases on `endpoint` have ended that are open now; tunnels are not waited for. */
  settled(endpoint: Endpoint): Promise<void> {
    return this.#ledger.settled(this.#members.get(endpoint));
  }

  status(): BalancerStatus {
    return {
      roster: this.roster,
      waiting: this.#queue.size,
      retriesLeft: Math.max(0, Math.floor(this.#budget.balance)),
      panicking: this.health.panicking,
      endpoints: [...this.#members.values()].map(endpointStatus),
    };
  }

  /** What a listener throws reaches whoever caused the event, after all else is done. Returns the unsubscribe call. */
  subscribe(listener: (event: BalancerEvent) => void): () => void {
    return this.#events.add(listener);
  }

  /** Refuses all that wait or come later, and leaves no timer. Open leases stay valid. Idempotent. */
  close(): void {
    if (this.#closed) return;
    try {
      this.update([]);
    } finally {
      this.#closed = true;
      this.#rotation.close();
      this.#budget.close();
      this.health.close();
      this.#queue.refuseAll("closed");
    }
  }

  /** The least busy of the canary's endpoints, if the next request is theirs. */
  #canaryDue(): Member | undefined {
    if (!this.#canary.exists || !this.#canary.next()) return undefined;
    const canaries = this.#rotation.canaries();
    return canaries.length === 0
      ? undefined
      : canaries.reduce((best, one) => (one.inFlight < best.inFlight ? one : best));
  }

  /** By none of those that are full, or set aside. */
  #acquireBeside({ request, exclude = noEndpoints, by }: Asked): Lease | Unavailable {
    if (!this.#rotation.hasOtherThan(exclude)) return unavailable["all-excluded"];
    const avoided = new Set([...exclude, ...this.#full.endpoints]);
    if (!this.#rotation.hasOtherThan(avoided)) return unavailable.full;
    if (this.#aside !== undefined && !this.#rotation.hasOtherThan(avoided.add(this.#aside))) {
      return unavailable["set-aside"];
    }
    if (exclude.size === 0) this.#budget.deposit();
    return this.#ledger.begin(this.#rotation.pick(request, avoided, by));
  }

  #loadChanged(member: Member): void {
    if (this.#full.changed(member)) this.#serveWaiting();
  }

  #nobody(): Unavailable {
    if (this.#closed) return unavailable.closed;
    return this.roster.endpoints.length === 0 ? unavailable.empty : unavailable.draining;
  }

  /** The last thing done after a change. Those who wait are served even if a listener throws. */
  #publish(events: readonly BalancerEvent[]): void {
    this.#rotation.invalidate();
    try {
      this.#events.emit(events);
    } finally {
      this.#serveWaiting();
    }
  }

  /** Calls made while waiting requests are served may change what can be served: then everybody is asked again. */
  #serveWaiting(): void {
    if (this.#queue.size === 0) return;
    if (this.#serving !== "no") {
      this.#serving = "again";
      return;
    }
    try {
      do {
        this.#serving = "yes";
        this.#queue.serve((request, exclude, by) => {
          const found = this.acquire(request, exclude, by);
          return found.kind === "lease" ? found : undefined;
        });
      } while ((this.#serving as "yes" | "again") === "again");
    } finally {
      this.#serving = "no";
    }
  }
}

/** As the first of them measures it that does. */
function latencyOf(strategies: readonly Strategy[], clock: Clock): LatencyOptions | undefined {
  const decayMs = strategies.find(({ latencyDecayMs }) => latencyDecayMs !== undefined)?.latencyDecayMs;
  return decayMs === undefined ? undefined : { clock, decayMs };
}

const noEndpoints: ReadonlySet<Endpoint> = new Set();

const unavailable: { readonly [Reason in UnavailableReason]: Unavailable } = {
  empty: Object.freeze({ kind: "unavailable", reason: "empty" }),
  draining: Object.freeze({ kind: "unavailable", reason: "draining" }),
  "all-excluded": Object.freeze({ kind: "unavailable", reason: "all-excluded" }),
  full: Object.freeze({ kind: "unavailable", reason: "full" }),
  "set-aside": Object.freeze({ kind: "unavailable", reason: "set-aside" }),
  closed: Object.freeze({ kind: "unavailable", reason: "closed" }),
};
