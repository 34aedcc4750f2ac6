import type { AffinityDecision } from "../affinity/decision.ts";
import type { Balancer, Lease } from "../balancer/balancer.ts";
import type { Routing } from "../balancer/routing.ts";
import type { Unavailable } from "../balancer/status.ts";
import { headerLines } from "../http/header-lines.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { RequestView } from "../model/request-view.ts";

export interface PlacementParts {
  readonly balancer: Balancer;
  /** Knows where requests belong; undefined: they belong nowhere. */
  readonly routing: Routing | undefined;
  /** The number of the balancer's strategy that chooses. Default 0. */
  readonly by?: number;
}

/** Where one request after the other goes, and what its response tells the client about that. */
export class Placement {
  #context: PlacementParts;
  /** Where the affinity said that the request belongs. */
  #decision: AffinityDecision | undefined;
  #bound = false;

  constructor(context: PlacementParts) {
    this.#context = context;
  }

  /** The next request is placed by these. */
  goBy(context: PlacementParts): void {
    this.#context = context;
    this.#decision = undefined;
  }

  acquire(request: RequestView, exclude: ReadonlySet<Endpoint> | undefined): Lease | Unavailable {
    const { routing, balancer, by } = this.#context;
    this.#bound = false;
    if (routing?.inUse !== true) return balancer.acquire(request, exclude, by);
    const { decision, found, bound } = routing.acquire(request, exclude, by);
    this.#decision = decision;
    this.#bound = bound;
    return found;
  }

  /** The last lease is on the endpoint that the request belongs to: any other would be another choice. */
  get bound(): boolean {
    return this.#bound;
  }

  /** Where `acquire` would bind the request; undefined: it would choose. */
  placeOf(request: RequestView, exclude: ReadonlySet<Endpoint> | undefined): Endpoint | undefined {
    const { routing } = this.#context;
    return routing?.inUse === true ? routing.placeOf(request, exclude) : undefined;
  }

  /** The header lines that the response from `endpoint` gets, or `""`. */
  responseLines({ slot }: Endpoint, encrypted: boolean): string {
    const { routing } = this.#context;
    if (routing === undefined || this.#decision === undefined) return "";
    return headerLines(routing.affinity.responseFields(this.#decision, slot, encrypted));
  }
}
