import type { Candidate } from "../model/candidate.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { OptionError } from "../model/errors.ts";
import type { RequestView } from "../model/request-view.ts";
import { type Hashing, type HashOptions, parseHashOptions } from "./hash-options.ts";
import { entryOf, type LookupTable, maglevTable, tableSizeFor } from "./maglev-table.ts";
import { type Placed, place } from "./placement.ts";
import type { Picker, Strategy } from "./strategy.ts";

export interface BoundedLoadOptions extends HashOptions {
  /**
   * How much more than its part of all leases an endpoint may hold, > 1. Near 1 the load is even and keys move often;
   * large values come near to `maglev`. Default 1.25 (HAProxy `hash-balance-factor 125`).
   */
  readonly factor?: number;
}

const DEFAULT_FACTOR = 1.25;

/**
 * Consistent hashing with bounded loads: V. Mirrokni, M. Thorup, M. Zadimoghaddam, arXiv 1608.01350 (2016). A key goes
 * to its endpoint unless that holds its capacity already, ceil(factor · (leases + 1) · weight / total weight); then to
 * the next with room. Hot keys overflow instead of drowning their endpoint.
 *
 * The ring is the lookup table of Maglev, walked entry by entry. Full endpoints hold more than factor · w/W of the
 * leases each, so their part of the weight is < 1/factor, and a walk takes less than factor / (factor - 1) steps on
 * average: 5 by default, for any number of endpoints. With `exclude`, capacity is that among the others.
 *
 * @throws OptionError when `factor` is not a finite number > 1, or `key` or `nameOf` not a function
 */
export function boundedLoad(options: BoundedLoadOptions = {}): Strategy {
  const hashing = parseHashOptions("boundedLoad", options);
  const { factor = DEFAULT_FACTOR } = options;
  if (!(Number.isFinite(factor) && factor > 1)) {
    throw new OptionError("boundedLoad.factor", factor, "give a number greater than 1, e.g. 1.25");
  }
  return {
    name: "bounded-load",
    picker: (candidates) => new BoundedLoadPicker(place(candidates, hashing.nameOf), factor, hashing),
  };
}

class BoundedLoadPicker implements Picker {
  readonly #candidates: readonly Candidate[];
  readonly #ids: ReadonlyMap<Endpoint, number>;
  readonly #table: LookupTable;
  readonly #factor: number;
  readonly #keyHash: Hashing["keyHash"];
  /** Leases per endpoint as last told, so that they always add up to `#leases`. */
  readonly #inFlight: Float64Array;
  #leases: number;
  readonly #totalWeight: number;

  constructor(placed: readonly Placed[], factor: number, hashing: Hashing) {
    this.#candidates = placed.map(({ candidate }) => candidate);
    this.#ids = new Map(placed.map(({ candidate }, id) => [candidate.endpoint, id]));
    this.#table = maglevTable(placed, tableSizeFor(placed.length));
    this.#factor = factor;
    this.#keyHash = hashing.keyHash;
    this.#inFlight = Float64Array.from(placed, ({ candidate }) => candidate.inFlight);
    this.#leases = this.#inFlight.reduce((sum, leases) => sum + leases, 0);
    this.#totalWeight = placed.reduce((sum, { weight }) => sum + weight, 0);
  }

  pick(request: RequestView, exclude?: ReadonlySet<Endpoint>): Candidate {
    const capacityPerWeight = this.#capacityPerWeight(exclude);
    const size = this.#table.length;
    let entry = entryOf(this.#keyHash(request), size);
    let spill: Candidate | undefined;
    for (let left = size; left > 0; left -= 1) {
      const id = this.#table[entry]!;
      const candidate = this.#candidates[id]!;
      if (exclude === undefined || !exclude.has(candidate.endpoint)) {
        if (this.#inFlight[id]! < Math.ceil(capacityPerWeight * candidate.endpoint.weight)) return candidate;
        spill ??= candidate;
      }
      entry = entry + 1 === size ? 0 : entry + 1;
    }
    // Capacities add up to more than the leases: only rounding, or an `exclude` of all candidates, comes here.
    return spill ?? this.#candidates[this.#table[entry]!]!;
  }

  #capacityPerWeight(exclude?: ReadonlySet<Endpoint>): number {
    let leases = this.#leases;
    let weight = this.#totalWeight;
    if (exclude !== undefined) {
      for (const endpoint of exclude) {
        const id = this.#ids.get(endpoint);
        if (id === undefined) continue;
        leases -= this.#inFlight[id]!;
        weight -= endpoint.weight;
      }
    }
    return (this.#factor * (leases + 1)) / weight;
  }

  loadChanged(candidate: Candidate): void {
    const id = this.#ids.get(candidate.endpoint);
    if (id === undefined) return;
    this.#leases += candidate.inFlight - this.#inFlight[id]!;
    this.#inFlight[id] = candidate.inFlight;
  }
}
