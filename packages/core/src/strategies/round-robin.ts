import type { Candidate } from "../model/candidate.ts";
import type { Endpoint, NonEmpty } from "../model/endpoint.ts";
import type { RequestView } from "../model/request-view.ts";
import type { Picker, Strategy } from "./strategy.ts";

/**
 * Each endpoint in turn, in the order of slots, whatever its weight (HAProxy `balance roundrobin` with equal weights).
 * After any number of picks the counts of two endpoints differ by at most one. A change of the roster goes on with the
 * slot that was next. O(1).
 */
export function roundRobin(): Strategy {
  let previous: RoundRobinPicker | undefined;
  return {
    name: "round-robin",
    picker(candidates) {
      previous = new RoundRobinPicker(candidates, previous?.nextSlot ?? 0);
      return previous;
    },
  };
}

class RoundRobinPicker implements Picker {
  readonly #ring: readonly Candidate[];
  #next: number;

  constructor(candidates: NonEmpty<Candidate>, firstSlot: number) {
    this.#ring = candidates.toSorted(bySlot);
    this.#next = Math.max(
      0,
      this.#ring.findIndex(({ endpoint }) => endpoint.slot >= firstSlot),
    );
  }

  get nextSlot(): number {
    return this.#ring[this.#next]!.endpoint.slot;
  }

  pick(_request: RequestView, exclude?: ReadonlySet<Endpoint>): Candidate {
    let chosen = this.#advance();
    if (exclude !== undefined) {
      for (let left = this.#ring.length; left > 1 && exclude.has(chosen.endpoint); left -= 1) chosen = this.#advance();
    }
    return chosen;
  }

  #advance(): Candidate {
    const at = this.#next;
    this.#next = at + 1 === this.#ring.length ? 0 : at + 1;
    return this.#ring[at]!;
  }
}

function bySlot({ endpoint: a }: Candidate, { endpoint: b }: Candidate): number {
  return a.slot - b.slot || a.incarnation - b.incarnation;
}
