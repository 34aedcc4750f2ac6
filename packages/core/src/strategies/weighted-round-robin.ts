import type { Candidate } from "../model/candidate.ts";
import type { Endpoint, NonEmpty } from "../model/endpoint.ts";
import type { RequestView } from "../model/request-view.ts";
import { IndexHeap } from "./index-heap.ts";
import type { Picker, Strategy } from "./strategy.ts";

/**
 * Turns in proportion to weight, as evenly spread as turns can be: 5, 1, 1 gives a a b a c a a, and equal weights plain
 * rotation. After t picks among n ≥ 2 endpoints an endpoint of weight w has had t·w/W picks, W being the sum of the
 * weights, give or take 1 - 1/(2n-2), the smallest bound that can be kept whatever the weights.
 *
 * It is the method of R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32 (1980): of the endpoints
 * that a pick would not put too far ahead, take the one that would first fall too far behind. Two heaps make that
 * O(log n). The smooth rotation of nginx takes the endpoint furthest behind, in O(n) and with no such bound; Envoy's
 * earliest-deadline scheduler lacks the first condition, so that 100 beside a hundred 1s comes in a burst.
 *
 * How far each is behind is carried over a change of the roster.
 */
export function weightedRoundRobin(): Strategy {
  let previous: WeightedRoundRobinPicker | undefined;
  return {
    name: "weighted-round-robin",
    picker(candidates) {
      previous = new WeightedRoundRobinPicker(candidates, previous?.standings());
      return previous;
    },
  };
}

/** What is carried over a change of the roster. */
interface Standing {
  /** Turns the endpoint is behind its part; negative when it is ahead. */
  readonly owed: number;
  /** Relative to the turn at which the roster changed, hence ≤ 0. */
  readonly lastTurn: number;
}

class WeightedRoundRobinPicker implements Picker {
  readonly #candidates: readonly Candidate[];
  readonly #totalWeight: number;
  /** Tijdeman's 1/(2n-2): how much of a turn an endpoint must be owed before it may take it. */
  readonly #threshold: number;
  /** Picks so far, less what the endpoint was owed at the start. Counts, not sums of fractions: they do not drift. */
  readonly #served: Float64Array;
  /** Endpoints that may have the next turn, by the time at which they must have had it. */
  readonly #due: IndexHeap;
  /** The others, by the time at which they may. Time is turns per unit of weight. Ties go to the longest unserved. */
  readonly #early: IndexHeap;
  #turn = 0;

  constructor(candidates: NonEmpty<Candidate>, standings?: ReadonlyMap<Endpoint, Standing>) {
    const count = candidates.length;
    this.#candidates = [...candidates];
    this.#totalWeight = candidates.reduce((sum, { endpoint }) => sum + endpoint.weight, 0);
    this.#threshold = count === 1 ? 0.5 : 1 / (2 * count - 2);
    this.#served = new Float64Array(count);
    this.#due = new IndexHeap(count);
    this.#early = new IndexHeap(count);
    // What all are owed adds up to 0; what leavers were owed, or owed, goes to the others by weight.
    const left = candidates.reduce((sum, { endpoint }) => sum + (standings?.get(endpoint)?.owed ?? 0), 0);
    for (const [id, { endpoint }] of candidates.entries()) {
      const standing = standings?.get(endpoint);
      const owed = (standing?.owed ?? 0) - (left * endpoint.weight) / this.#totalWeight;
      // Rounded, so that equals stay equal and their order is that of their last turns.
      this.#served[id] = -Math.round(owed * 1e9) / 1e9;
      this.#early.set(id, this.#released(id), standing?.lastTurn ?? id - count);
    }
  }

  pick(_request: RequestView, exclude?: ReadonlySet<Endpoint>): Candidate {
    this.#turn += 1;
    const now = this.#turn / this.#totalWeight;
    while (this.#early.topKey <= now) {
      const released = this.#early.top;
      this.#early.remove(released);
      this.#due.set(released, this.#deadline(released), this.#early.tieOf(released));
    }
    const id = this.#first(exclude);
    if (this.#due.has(id)) this.#due.remove(id);
    this.#served[id]! += 1;
    this.#early.set(id, this.#released(id), this.#turn);
    return this.#candidates[id]!;
  }

  standings(): Map<Endpoint, Standing> {
    const perWeight = this.#turn / this.#totalWeight;
    return new Map(
      this.#candidates.map(({ endpoint }, id) => {
        const owed = perWeight * endpoint.weight - this.#served[id]!;
        const heap = this.#due.has(id) ? this.#due : this.#early;
        return [endpoint, { owed, lastTurn: heap.tieOf(id) - this.#turn }];
      }),
    );
  }

  #first(exclude?: ReadonlySet<Endpoint>): number {
    if (exclude !== undefined) {
      const excluded = (id: number) => exclude.has(this.#candidates[id]!.endpoint);
      const due = this.#due.firstExcept(excluded);
      const allowed = due === -1 ? this.#early.firstExcept(excluded) : due;
      if (allowed !== -1) return allowed;
    }
    // Owed turns add up to 1, so the largest is ≥ 1/n ≥ the threshold: someone is due, but for a rounding error.
    return this.#due.top === -1 ? this.#early.top : this.#due.top;
  }

  #released(id: number): number {
    return (this.#served[id]! + this.#threshold) / this.#candidates[id]!.endpoint.weight;
  }

  #deadline(id: number): number {
    return (this.#served[id]! + 1 - this.#threshold) / this.#candidates[id]!.endpoint.weight;
  }
}
