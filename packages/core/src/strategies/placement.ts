import type { Candidate } from "../model/candidate.ts";
import type { Endpoint, NonEmpty } from "../model/endpoint.ts";
import { murmur3 } from "./murmur3.ts";

/** Any two different numbers. */
const SEED_HIGH = 0x9747b28c;
const SEED_LOW = 0x3c6ef372;

/**
 * A candidate and its place in hash space: 64 bits, because with 32 one in a hundred rosters of 10,000 would have two
 * endpoints in one place, and one of them would get nothing.
 */
export interface Placed {
  readonly candidate: Candidate;
  readonly weight: number;
  readonly high: number;
  readonly low: number;
}

/** Candidates in an order that depends on their names alone; of two with the same name the newer incarnation is first. */
export function place(candidates: NonEmpty<Candidate>, nameOf: (endpoint: Endpoint) => string): readonly Placed[] {
  return candidates
    .map((candidate) => {
      const name = nameOf(candidate.endpoint);
      const { weight } = candidate.endpoint;
      return { candidate, weight, high: murmur3(name, SEED_HIGH), low: murmur3(name, SEED_LOW) };
    })
    .sort((a, b) => a.high - b.high || a.low - b.low || newerFirst(a.candidate.endpoint, b.candidate.endpoint));
}

function newerFirst(a: Endpoint, b: Endpoint): number {
  return b.incarnation - a.incarnation || (a.id < b.id ? -1 : 1);
}
