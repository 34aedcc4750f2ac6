import type { Candidate } from "../model/candidate.ts";
import type { Endpoint, NonEmpty } from "../model/endpoint.ts";
import type { Random } from "../model/random.ts";

/** Draws that may hit an excluded candidate before the exact way, which is O(n), is taken. */
const MAX_DRAWS = 8;

/**
 * Draws the index of a candidate with a probability in proportion to its weight, in O(1): the alias method of
 * M. D. Vose, "A linear algorithm for generating random numbers with a given distribution" (IEEE TSE 17, 1991).
 */
export class WeightedSampler {
  readonly #candidates: readonly Candidate[];
  readonly #random: Random;
  /** Column i yields i with this probability and its alias else. */
  readonly #probability: Float64Array;
  readonly #alias: Int32Array;

  constructor(candidates: NonEmpty<Candidate>, random: Random) {
    const count = candidates.length;
    this.#candidates = candidates;
    this.#random = random;
    // What rounding leaves in either stack has a probability of 1 but for the rounding.
    this.#probability = new Float64Array(count).fill(1);
    this.#alias = new Int32Array(count);
    const totalWeight = candidates.reduce((sum, { endpoint }) => sum + endpoint.weight, 0);
    const scaled = Float64Array.from(candidates, ({ endpoint }) => (endpoint.weight / totalWeight) * count);
    const small: number[] = [];
    const large: number[] = [];
    for (let id = 0; id < count; id += 1) (scaled[id]! < 1 ? small : large).push(id);
    while (small.length > 0 && large.length > 0) {
      const less = small.pop()!;
      const more = large.at(-1)!;
      this.#probability[less] = scaled[less]!;
      this.#alias[less] = more;
      scaled[more]! -= 1 - scaled[less]!;
      if (scaled[more]! < 1) small.push(large.pop()!);
    }
  }

  draw(exclude?: ReadonlySet<Endpoint>): number {
    if (exclude === undefined) return this.#drawAny();
    for (let draws = 0; draws < MAX_DRAWS; draws += 1) {
      const id = this.#drawAny();
      if (!exclude.has(this.#candidates[id]!.endpoint)) return id;
    }
    return this.#drawAmongOthers(exclude);
  }

  #drawAny(): number {
    // One number serves twice: its whole part is the column, its fraction the side of the column. `| 0` makes an index
    // of it at half the cost of Math.trunc.
    const point = this.#random() * this.#alias.length;
    const column = point | 0;
    return point - column < this.#probability[column]! ? column : this.#alias[column]!;
  }

  /** One pass: each candidate displaces the choice so far with the probability of its part of the weight so far. */
  #drawAmongOthers(exclude: ReadonlySet<Endpoint>): number {
    let chosen = 0;
    let weightSoFar = 0;
    for (const [id, { endpoint }] of this.#candidates.entries()) {
      if (exclude.has(endpoint)) continue;
      weightSoFar += endpoint.weight;
      if (this.#random() * weightSoFar < endpoint.weight) chosen = id;
    }
    return chosen;
  }
}
