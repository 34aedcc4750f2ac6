import type { Candidate } from "../../src/model/candidate.ts";
import { type Endpoint, isNonEmpty, type NonEmpty } from "../../src/model/endpoint.ts";

/** A candidate whose load is whatever the test says. */
export class FakeCandidate implements Candidate {
  readonly endpoint: Endpoint;
  inFlight = 0;
  latency = 0;

  constructor({ slot, incarnation = 1, weight = 1 }: { slot: number; incarnation?: number; weight?: number }) {
    const address = { kind: "tcp", host: "127.0.0.1", port: 3000 + slot } as const;
    this.endpoint = Object.freeze({ id: `${slot}.${incarnation}`, slot, incarnation, weight, address });
  }

  latencyMs(): number {
    return this.latency;
  }
}

/** One candidate per weight, in slots 0, 1, 2, … */
export function fakeCandidates(weights: readonly number[]): NonEmpty<FakeCandidate> {
  return nonEmpty(weights.map((weight, slot) => new FakeCandidate({ slot, weight })));
}

export function equalCandidates(count: number): NonEmpty<FakeCandidate> {
  return fakeCandidates(new Array<number>(count).fill(1));
}

export function nonEmpty<T>(list: readonly T[]): NonEmpty<T> {
  if (!isNonEmpty(list)) throw new Error("The list is empty");
  return list;
}
