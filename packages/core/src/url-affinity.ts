import { Affinity } from "./affinity/affinity.ts";
import type { AffinityDecision, SlotDecision } from "./affinity/decision.ts";
import type { AffinitySettings } from "./affinity/settings.ts";
import { randomSecret } from "./affinity/slot-tokens.ts";
import type { Balancer, Lease } from "./balancer/balancer.ts";
import type { Candidate } from "./model/candidate.ts";
import { systemWallClock } from "./model/clock.ts";
import { type Endpoint, isNonEmpty } from "./model/endpoint.ts";
import type { LbError } from "./model/errors.ts";
import type { Random } from "./model/random.ts";
import type { RequestView } from "./model/request-view.ts";
import { rendezvous } from "./strategies/index.ts";
import type { Picker } from "./strategies/strategy.ts";

export interface UrlAffinityOptions {
  readonly settings: AffinitySettings;
  readonly balancer: Balancer;
  readonly random: Random;
  readonly keyFailed: (error: LbError) => void;
}

/** Where a request belongs, and a lease there if there was one to be had. */
export interface Belonging {
  readonly decision: AffinityDecision;
  readonly lease: Lease | undefined;
}

const noEndpoints: ReadonlySet<Endpoint> = new Set();

/** Takes the leases of requests that belong somewhere; the strategy serves all others. */
export class UrlAffinity {
  readonly affinity: Affinity;
  readonly #balancer: Balancer;
  readonly #random: Random;
  readonly #bySlot = new Map<number, Endpoint>();
  #size = 0;
  #ranking: Picker | undefined;

  constructor({ settings, balancer, random, keyFailed }: UrlAffinityOptions) {
    this.affinity = new Affinity({ settings, secret: randomSecret(), wallClock: systemWallClock, keyFailed });
    this.#balancer = balancer;
    this.#random = random;
  }

  update(endpoints: readonly Endpoint[]): void {
    this.#bySlot.clear();
    for (const endpoint of endpoints) this.#bySlot.set(endpoint.slot, endpoint);
    this.#size = endpoints.length;
    const candidates = endpoints.map(candidateOf);
    // The view that is hashed is made below, and its target is the key.
    const strategy = rendezvous({ key: ({ target }) => target, nameOf: ({ id }) => id, random: this.#random });
    this.#ranking = isNonEmpty(candidates) ? strategy.picker(candidates) : undefined;
  }

  acquire(request: RequestView, exclude: ReadonlySet<Endpoint> = noEndpoints): Belonging {
    const first = this.affinity.decide(request);
    for (let decision = first; ; decision = this.affinity.decideAfter(decision as SlotDecision, request)) {
      const lease = this.#leaseFor(decision, exclude);
      if (lease !== undefined || decision.kind !== "slot") return { decision, lease };
    }
  }

  #leaseFor(decision: AffinityDecision, exclude: ReadonlySet<Endpoint>): Lease | undefined {
    switch (decision.kind) {
      case "none":
        return undefined;
      case "slot": {
        const endpoint = this.#bySlot.get(decision.slot);
        return endpoint === undefined || exclude.has(endpoint) ? undefined : this.#balancer.acquireAt(endpoint);
      }
      case "key":
        return this.#leaseByKey(decision.key, exclude);
    }
  }

  /**
   * The endpoint that the key ranks first among those that take requests. The ranking is over all there are, so an
   * endpoint that is out for a while gives its keys away and gets the same ones back.
   */
  #leaseByKey(key: string, exclude: ReadonlySet<Endpoint>): Lease | undefined {
    const request: RequestView = { target: key };
    let passedOver = exclude;
    while (this.#ranking !== undefined && passedOver.size < this.#size) {
      const { endpoint } = this.#ranking.pick(request, passedOver);
      if (passedOver.has(endpoint)) return undefined;
      const lease = this.#balancer.acquireAt(endpoint);
      if (lease !== undefined) return lease;
      passedOver = new Set(passedOver).add(endpoint);
    }
    return undefined;
  }
}

/** Ranking by a key looks at nothing but who the endpoint is. */
function candidateOf(endpoint: Endpoint): Candidate {
  return { endpoint, inFlight: 0, latencyMs: () => 0 };
}
