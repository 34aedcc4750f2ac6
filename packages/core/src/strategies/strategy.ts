import type { Candidate } from "../model/candidate.ts";
import type { Endpoint, NonEmpty } from "../model/endpoint.ts";
import type { RequestView } from "../model/request-view.ts";

/**
 * Chooses among the candidates it was made with. Made anew whenever the list of eligible endpoints changes, so it may
 * precompute (a lookup table, a heap); it never blocks, never counts leases and does no I/O.
 */
export interface Picker {
  /**
   * Always answers. `exclude` names endpoints that were already tried for this request; at least one candidate is not
   * in it, and only such a one is returned. Should it name every candidate all the same, it is ignored.
   */
  pick(request: RequestView, exclude?: ReadonlySet<Endpoint>): Candidate;
  /** Called after `candidate.inFlight` changed, for pickers that keep an order by load. Candidates of others are ignored. */
  loadChanged?(candidate: Candidate): void;
}

/**
 * A balancing algorithm. It may carry state from one picker to the next (a cursor, current weights), so that a change
 * of the roster does not start the rotation anew: one strategy object therefore belongs to one balancer, and only its
 * newest picker is asked.
 */
export interface Strategy {
  /** The name under which it is known in options, e.g. `"round-robin"`. */
  readonly name: string;
  /** Asks for {@link Candidate.latencyMs}: the time constant of its decay, in milliseconds. Absent: not measured. */
  readonly latencyDecayMs?: number;
  /** Candidates stand for distinct endpoints and their order carries no meaning; the list is not kept. */
  picker(candidates: NonEmpty<Candidate>): Picker;
}
