import type { Affinity } from "../affinity/affinity.ts";
import type { AffinityDecision, SlotDecision } from "../affinity/decision.ts";
import type { Candidate } from "../model/candidate.ts";
import { type Endpoint, isNonEmpty } from "../model/endpoint.ts";
import type { Random } from "../model/random.ts";
import type { RequestView } from "../model/request-view.ts";
import { rendezvous } from "../strategies/index.ts";
import type { Picker } from "../strategies/strategy.ts";
import type { Balancer, Lease } from "./balancer.ts";
import type { Roster } from "./roster.ts";
import type { Unavailable } from "./status.ts";

export interface RoutingOptions {
  readonly affinity: Affinity;
  readonly balancer: Balancer;
  readonly random: Random;
  /** What an endpoint is called where keys are hashed: keys go to names. */
  readonly nameOf: (endpoint: Endpoint) => string;
  /** Requests belong nowhere until `begin()` is called. Default: they do from the start. */
  readonly standsBy?: boolean;
}

/** What the affinity said of a request, and what came of it. */
export interface Route {
  readonly decision: AffinityDecision;
  readonly found: Lease | Unavailable;
  /** The affinity chose the endpoint, not the strategy. */
  readonly bound: boolean;
}

/** Leases for requests that belong somewhere; the strategy serves all others, and those whose place is not to be had. */
export class Routing {
  readonly affinity: Affinity;
  #inUse: boolean;
  readonly #balancer: Balancer;
  readonly #random: Random;
  readonly #nameOf: (endpoint: Endpoint) => string;
  /** Who has a slot, and, while a successor is tried out, that one too: the slot's own first. */
  readonly #bySlot = new Map<number, Endpoint[]>();
  #lingering: readonly Endpoint[] = [];
  #size = 0;
  #ranking: Picker | undefined;

  constructor({ affinity, balancer, random, nameOf, standsBy = false }: RoutingOptions) {
    this.affinity = affinity;
    this.#inUse = !standsBy;
    this.#balancer = balancer;
    this.#random = random;
    this.#nameOf = nameOf;
  }

  begin(): void {
    this.#inUse = true;
  }

  /** Requests belong somewhere: else it need not be asked. */
  get inUse(): boolean {
    return this.#inUse;
  }

  /** Requests may belong to one incarnation and no other. */
  get keepsSessions(): boolean {
    return this.#inUse && this.affinity.keepsSessions;
  }

  /** Follows the roster. */
  update({ endpoints, lingering }: Pick<Roster, "endpoints" | "lingering">): void {
    this.#lingering = lingering;
    this.#bySlot.clear();
    for (const endpoint of endpoints) {
      const there = this.#bySlot.get(endpoint.slot);
      if (there === undefined) this.#bySlot.set(endpoint.slot, [endpoint]);
      else there.push(endpoint);
    }
    // Of a slot with two, the ranking knows the first: a canary gets no more than its share.
    const candidates = [...this.#bySlot.values()].map(([endpoint]) => candidateOf(endpoint!));
    this.#size = candidates.length;
    // The view that is hashed is made below, and its target is the key.
    const strategy = rendezvous({ key: ({ target }) => target, nameOf: this.#nameOf, random: this.#random });
    this.#ranking = isNonEmpty(candidates) ? strategy.picker(candidates) : undefined;
  }

  /** As `Balancer.acquire`. */
  acquire(request: RequestView, exclude?: ReadonlySet<Endpoint>, by?: number): Route {
    const { decision, endpoint } = this.#place(request, exclude);
    if (endpoint === undefined) {
      return { decision, found: this.#balancer.acquire(request, exclude, by), bound: false };
    }
    return { decision, found: this.#leaseAt(endpoint, decision)!, bound: true };
  }

  /** Where `acquire` would bind the request now; undefined: the strategy would choose. */
  placeOf(request: RequestView, exclude?: ReadonlySet<Endpoint>): Endpoint | undefined {
    return this.#place(request, exclude).endpoint;
  }

  #place(
    request: RequestView,
    exclude: ReadonlySet<Endpoint> | undefined,
  ): { readonly decision: AffinityDecision; readonly endpoint: Endpoint | undefined } {
    const first = this.affinity.decide(request);
    for (let decision = first; ; decision = this.affinity.decideAfter(decision as SlotDecision, request)) {
      const endpoint = this.#endpointFor(decision, exclude);
      if (endpoint !== undefined || decision.kind !== "slot") return { decision, endpoint };
    }
  }

  #endpointFor(decision: AffinityDecision, exclude: ReadonlySet<Endpoint> | undefined): Endpoint | undefined {
    switch (decision.kind) {
      case "none":
        return undefined;
      case "slot": {
        const { slot, incarnation } = decision;
        const endpoint = incarnation === undefined ? this.#bySlot.get(slot)?.[0] : this.#home(slot, incarnation);
        if (endpoint === undefined || exclude?.has(endpoint)) return undefined;
        const has = incarnation === undefined ? this.#balancer.takes(endpoint) : this.#balancer.reaches(endpoint);
        return has ? endpoint : undefined;
      }
      case "key":
        return this.#endpointByKey(decision.key, exclude);
    }
  }

  #leaseAt(endpoint: Endpoint, decision: AffinityDecision): Lease | undefined {
    // Anybody else could only say that there is no such session.
    const only = decision.kind === "slot" && decision.incarnation !== undefined;
    return only ? this.#balancer.acquireOnly(endpoint) : this.#balancer.acquireAt(endpoint);
  }

  /** Where a session lives, if that is still there. */
  #home(slot: number, incarnation: number): Endpoint | undefined {
    const isIt = (one: Endpoint) => one.slot === slot && one.incarnation === incarnation;
    return this.#bySlot.get(slot)?.find(isIt) ?? this.#lingering.find(isIt);
  }

  /**
   * The endpoint that the key ranks first among those that take requests. The ranking is over all there are, so an
   * endpoint that is out for a while gives its keys away and gets the same ones back.
   */
  #endpointByKey(key: string, exclude: ReadonlySet<Endpoint> = noEndpoints): Endpoint | undefined {
    const request: RequestView = { target: key };
    let passedOver = exclude;
    while (this.#ranking !== undefined && passedOver.size < this.#size) {
      const { endpoint } = this.#ranking.pick(request, passedOver);
      if (passedOver.has(endpoint)) return undefined;
      if (this.#balancer.takes(endpoint)) return endpoint;
      passedOver = new Set(passedOver).add(endpoint);
    }
    return undefined;
  }
}

const noEndpoints: ReadonlySet<Endpoint> = new Set();

/** Ranking by a key looks at nothing but who the endpoint is. */
function candidateOf(endpoint: Endpoint): Candidate {
  return { endpoint, inFlight: 0, latencyMs: () => 0 };
}
