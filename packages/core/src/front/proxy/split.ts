import type { RequestHead } from "../../http/request-head.ts";
import type { Random } from "../../model/random.ts";
import { murmur3 } from "../../strategies/murmur3.ts";
import type { Way } from "./way.ts";

/** One of the ways that a route's requests may go, and its share relative to the others. */
export interface SplitPart {
  readonly name: string;
  readonly way: Way;
  readonly weight: number;
}

/**
 * Sends requests one of several ways, by weight. Those that belong together stay together: who has a cookie of one of them goes
 * there, and what has a key goes where that ranks highest, by weighted rendezvous hashing (Schindelhauer, Schomaker 2005). What
 * has neither is drawn.
 */
export class Split {
  readonly #parts: readonly SplitPart[];
  readonly #random: Random;
  readonly #total: number;

  constructor(parts: readonly SplitPart[], random: Random) {
    this.#parts = parts;
    this.#random = random;
    this.#total = parts.reduce((sum, { weight }) => sum + weight, 0);
  }

  choose(request: RequestHead): Way {
    let key: string | undefined;
    for (const { way } of this.#parts) {
      if (way.routing?.inUse !== true) continue;
      const decision = way.routing.affinity.decide(request);
      if (decision.kind === "slot") return way;
      if (decision.kind === "key") key ??= decision.key;
    }
    return key === undefined ? this.#drawn() : this.#ranked(key);
  }

  #drawn(): Way {
    let left = this.#random() * this.#total;
    for (const { way, weight } of this.#parts) {
      left -= weight;
      if (left < 0) return way;
    }
    return this.#parts.at(-1)!.way;
  }

  #ranked(key: string): Way {
    let best = this.#parts[0]!;
    let highest = Number.NEGATIVE_INFINITY;
    for (const part of this.#parts) {
      // In (0, 1): its logarithm is below 0.
      const unit = (murmur3(`${part.name}\n${key}`) + 0.5) / 4_294_967_296;
      const score = -part.weight / Math.log(unit);
      if (score > highest) {
        best = part;
        highest = score;
      }
    }
    return best.way;
  }
}
