import type { Candidate } from "../model/candidate.ts";
import type { Endpoint, NonEmpty } from "../model/endpoint.ts";
import type { Random } from "../model/random.ts";
import type { RequestView } from "../model/request-view.ts";
import type { Picker } from "./strategy.ts";
import { WeightedSampler } from "./weighted-sampler.ts";

/** Draws for a second choice that differs from the first, before a neighbour is taken: one weight may dwarf the rest. */
const MAX_DRAWS = 4;

/**
 * Draws two different candidates by weight and takes the better: M. Mitzenmacher, "The power of two choices in
 * randomized load balancing" (IEEE TPDS 12, 2001). The longest queue grows as log log n instead of log n / log log n,
 * and since no two pickers see the same pair, stale loads do not send everybody to the same endpoint. O(1).
 */
export class TwoChoicesPicker implements Picker {
  readonly #candidates: readonly Candidate[];
  readonly #sampler: WeightedSampler;
  /** Whether the second is strictly better than the first; equals go to the first, which keeps to the weights. */
  readonly #better: (second: Candidate, first: Candidate) => boolean;

  constructor(
    candidates: NonEmpty<Candidate>,
    random: Random,
    better: (second: Candidate, first: Candidate) => boolean,
  ) {
    const known: NonEmpty<Candidate> = [...candidates];
    this.#candidates = known;
    this.#sampler = new WeightedSampler(known, random);
    this.#better = better;
  }

  pick(_request: RequestView, exclude?: ReadonlySet<Endpoint>): Candidate {
    const at = this.#sampler.draw(exclude);
    const first = this.#candidates[at]!;
    const second = this.#candidates[this.#drawOther(at, exclude)]!;
    return this.#better(second, first) ? second : first;
  }

  #drawOther(first: number, exclude?: ReadonlySet<Endpoint>): number {
    const count = this.#candidates.length;
    for (let draws = count > 2 ? MAX_DRAWS : 0; draws > 0; draws -= 1) {
      const id = this.#sampler.draw(exclude);
      if (id !== first) return id;
    }
    for (let step = 1; step < count; step += 1) {
      const id = (first + step) % count;
      if (exclude === undefined || !exclude.has(this.#candidates[id]!.endpoint)) return id;
    }
    return first;
  }
}
