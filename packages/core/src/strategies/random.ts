import type { Candidate } from "../model/candidate.ts";
import type { NonEmpty } from "../model/endpoint.ts";
import { type Random, systemRandom } from "../model/random.ts";
import type { Strategy } from "./strategy.ts";
import { WeightedSampler } from "./weighted-sampler.ts";

export interface RandomOptions {
  /** Default: the process's own random numbers. */
  readonly random?: Random;
}

/** Any endpoint, with a probability in proportion to its weight (HAProxy `balance random(1)`). O(1). */
export function random(options: RandomOptions = {}): Strategy {
  const source = options.random ?? systemRandom;
  return {
    name: "random",
    picker(candidates) {
      const known: NonEmpty<Candidate> = [...candidates];
      const sampler = new WeightedSampler(known, source);
      return { pick: (_request, exclude) => known[sampler.draw(exclude)]! };
    },
  };
}
