import type { Candidate } from "../model/candidate.ts";
import { type Random, systemRandom } from "../model/random.ts";
import type { Strategy } from "./strategy.ts";
import { TwoChoicesPicker } from "./two-choices.ts";

export interface PowerOfTwoOptions {
  /** Default: the process's own random numbers. */
  readonly random?: Random;
}

/**
 * Of two endpoints drawn by weight, the one with less in flight per unit of weight (HAProxy `balance random(2)`, Envoy
 * `LEAST_REQUEST`). Between equals the draw decides, so an idle group still shares in proportion to weight. O(1).
 */
export function powerOfTwo(options: PowerOfTwoOptions = {}): Strategy {
  const random = options.random ?? systemRandom;
  return {
    name: "power-of-two",
    picker: (candidates) => new TwoChoicesPicker(candidates, random, lessLoaded),
  };
}

function lessLoaded(a: Candidate, b: Candidate): boolean {
  return a.inFlight * b.endpoint.weight < b.inFlight * a.endpoint.weight;
}
