import type { Candidate } from "../model/candidate.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { RequestView } from "../model/request-view.ts";
import { type Hashing, type HashOptions, parseHashOptions } from "./hash-options.ts";
import { mix32 } from "./murmur3.ts";
import { type Placed, place } from "./placement.ts";
import type { Picker, Strategy } from "./strategy.ts";

/**
 * Highest random weight: each key ranks all endpoints and goes to the first. D. Thaler and C. Ravishankar, "Using
 * name-based mappings to increase hit rates" (IEEE/ACM ToN 6, 1998); weights after J. Resch (SNIA SDC 2015). When an
 * endpoint leaves, exactly its own keys move, each to its second; when one joins, it takes its part and nothing else
 * moves. O(n) per pick: for some dozens of endpoints; `maglev` for more.
 *
 * @throws OptionError when `key` or `nameOf` is not a function
 */
export function rendezvous(options: HashOptions = {}): Strategy {
  const hashing = parseHashOptions("rendezvous", options);
  return {
    name: "rendezvous",
    picker: (candidates) => new RendezvousPicker(place(candidates, hashing.nameOf), hashing),
  };
}

class RendezvousPicker implements Picker {
  readonly #candidates: readonly Candidate[];
  readonly #keyHash: Hashing["keyHash"];
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #weights: Float64Array;
  readonly #weighted: boolean;

  constructor(placed: readonly Placed[], hashing: Hashing) {
    this.#candidates = placed.map(({ candidate }) => candidate);
    this.#keyHash = hashing.keyHash;
    this.#high = Uint32Array.from(placed, ({ high }) => high);
    this.#low = Uint32Array.from(placed, ({ low }) => low);
    this.#weights = Float64Array.from(placed, ({ weight }) => weight);
    this.#weighted = this.#weights.some((weight) => weight !== this.#weights[0]);
  }

  pick(request: RequestView, exclude?: ReadonlySet<Endpoint>): Candidate {
    const key = this.#keyHash(request);
    let first = 0;
    let lowest = Number.POSITIVE_INFINITY;
    for (let id = 0; id < this.#candidates.length; id += 1) {
      if (exclude?.has(this.#candidates[id]!.endpoint) === true) continue;
      const hash = mix32((mix32(key ^ this.#low[id]!) + this.#high[id]!) | 0);
      // -ln(u)/w is an exponential variable of rate w; the least of several is the i-th with probability w_i/W. It
      // falls as u rises, so with equal weights the hash alone gives the same order.
      const score = this.#weighted ? -Math.log((hash + 0.5) * 2 ** -32) / this.#weights[id]! : -hash;
      if (score < lowest) {
        lowest = score;
        first = id;
      }
    }
    return this.#candidates[first]!;
  }
}
