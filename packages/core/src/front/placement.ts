import type { AffinityDecision } from "../affinity/decision.ts";
import type { Lease } from "../balancer/balancer.ts";
import type { Unavailable } from "../balancer/status.ts";
import { headerLines } from "../http/header-lines.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { RequestView } from "../model/request-view.ts";
import type { FrontContext } from "./context.ts";

/** Where one request after the other goes, and what its response tells the client about that. */
export class Placement {
  readonly #context: Pick<FrontContext, "balancer" | "routing">;
  /** Where the affinity said that the request belongs. */
  #decision: AffinityDecision | undefined;

  constructor(context: Pick<FrontContext, "balancer" | "routing">) {
    this.#context = context;
  }

  acquire(request: RequestView, exclude: ReadonlySet<Endpoint> | undefined): Lease | Unavailable {
    const { routing, balancer } = this.#context;
    if (routing?.inUse !== true) return balancer.acquire(request, exclude);
    const { decision, found } = routing.acquire(request, exclude);
    this.#decision = decision;
    return found;
  }

  /** The header lines that the response from `endpoint` gets, or `""`. */
  responseLines({ slot }: Endpoint, encrypted: boolean): string {
    const { routing } = this.#context;
    if (routing === undefined || this.#decision === undefined) return "";
    return headerLines(routing.affinity.responseFields(this.#decision, slot, encrypted));
  }
}
