import type { Candidate } from "../model/candidate.ts";
import type { Endpoint, NonEmpty } from "../model/endpoint.ts";
import type { RequestView } from "../model/request-view.ts";
import { IndexHeap } from "./index-heap.ts";
import type { Picker, Strategy } from "./strategy.ts";

/**
 * The endpoint that would be least loaded with one lease more: the smallest (inFlight + 1) / weight, as HAProxy
 * `leastconn` and nginx `least_conn`. Among equals the one not picked for longest, so that an idle group takes turns.
 * While next to nothing is in flight the heaviest endpoints answer alone; weights tell once leases overlap.
 * O(log n) for a pick and for a change of load.
 */
export function leastConnections(): Strategy {
  let previous: LeastConnectionsPicker | undefined;
  return {
    name: "least-connections",
    picker(candidates) {
      previous = new LeastConnectionsPicker(candidates, previous);
      return previous;
    },
  };
}

class LeastConnectionsPicker implements Picker {
  readonly #candidates: readonly Candidate[];
  readonly #ids: ReadonlyMap<Endpoint, number>;
  /** By load, then by the number of the last pick. */
  readonly #order: IndexHeap;
  #picks: number;

  constructor(candidates: NonEmpty<Candidate>, previous?: LeastConnectionsPicker) {
    this.#candidates = [...candidates];
    this.#ids = new Map(candidates.map(({ endpoint }, id) => [endpoint, id]));
    this.#order = new IndexHeap(candidates.length);
    this.#picks = previous === undefined ? 0 : previous.#picks;
    for (const [id, candidate] of candidates.entries()) {
      this.#order.set(id, loadWithOneMore(candidate), previous?.lastPick(candidate.endpoint) ?? id - candidates.length);
    }
  }

  pick(_request: RequestView, exclude?: ReadonlySet<Endpoint>): Candidate {
    let id = exclude === undefined ? -1 : this.#order.firstExcept((at) => exclude.has(this.#candidates[at]!.endpoint));
    if (id === -1) id = this.#order.top;
    this.#picks += 1;
    this.#order.setTie(id, this.#picks);
    return this.#candidates[id]!;
  }

  loadChanged(candidate: Candidate): void {
    const id = this.#ids.get(candidate.endpoint);
    if (id !== undefined) this.#order.setKey(id, loadWithOneMore(candidate));
  }

  lastPick(endpoint: Endpoint): number | undefined {
    const id = this.#ids.get(endpoint);
    return id === undefined ? undefined : this.#order.tieOf(id);
  }
}

function loadWithOneMore({ inFlight, endpoint }: Candidate): number {
  return (inFlight + 1) / endpoint.weight;
}
