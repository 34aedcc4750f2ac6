import type { Candidate } from "../model/candidate.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { OptionError } from "../model/errors.ts";
import type { RequestView } from "../model/request-view.ts";
import { type Hashing, type HashOptions, parseHashOptions } from "./hash-options.ts";
import { entryOf, type LookupTable, MAX_TABLE_SIZE, maglevTable, tableSizeFor } from "./maglev-table.ts";
import { type Placed, place } from "./placement.ts";
import type { Picker, Strategy } from "./strategy.ts";

export interface MaglevOptions extends HashOptions {
  /**
   * Entries of the table, a prime number of at most 5,000,011. More entries make shares more even and take longer to
   * fill. Balancers that must agree need the same size. Default, and whenever there are more endpoints than entries:
   * 65,537 for up to 1,024 endpoints, 655,373 up to 10,240, else 5,000,011.
   */
  readonly tableSize?: number;
}

/**
 * Consistent hashing by a lookup table (Maglev, NSDI 2016; Envoy `MAGLEV`): shares are even to within 2 %, a pick is
 * O(1), and when an endpoint leaves, its keys move and few others. A second choice, when the first is excluded, is the
 * owner of the next entry that is not, hence the same for each retry of a key.
 *
 * @throws OptionError when `tableSize` is not a prime in range, or `key` or `nameOf` not a function
 */
export function maglev(options: MaglevOptions = {}): Strategy {
  const hashing = parseHashOptions("maglev", options);
  const { tableSize } = options;
  if (tableSize !== undefined && !(isPrime(tableSize) && tableSize <= MAX_TABLE_SIZE)) {
    throw new OptionError("maglev.tableSize", tableSize, `give a prime number up to ${MAX_TABLE_SIZE}, e.g. 65537`);
  }
  return {
    name: "maglev",
    picker(candidates) {
      const count = candidates.length;
      const size = tableSize !== undefined && tableSize >= count ? tableSize : tableSizeFor(count);
      return new MaglevPicker(place(candidates, hashing.nameOf), size, hashing);
    },
  };
}

class MaglevPicker implements Picker {
  readonly #candidates: readonly Candidate[];
  readonly #table: LookupTable;
  readonly #keyHash: Hashing["keyHash"];

  constructor(placed: readonly Placed[], size: number, hashing: Hashing) {
    this.#candidates = placed.map(({ candidate }) => candidate);
    this.#table = maglevTable(placed, size);
    this.#keyHash = hashing.keyHash;
  }

  pick(request: RequestView, exclude?: ReadonlySet<Endpoint>): Candidate {
    const size = this.#table.length;
    let entry = entryOf(this.#keyHash(request), size);
    let chosen = this.#candidates[this.#table[entry]!]!;
    if (exclude === undefined) return chosen;
    for (let left = size; left > 0 && exclude.has(chosen.endpoint); left -= 1) {
      entry = entry + 1 === size ? 0 : entry + 1;
      chosen = this.#candidates[this.#table[entry]!]!;
    }
    return chosen;
  }
}

function isPrime(value: number): boolean {
  if (!Number.isSafeInteger(value) || value < 2) return false;
  // Larger ones are refused in any case; this bounds the loop.
  if (value > MAX_TABLE_SIZE) return false;
  for (let divisor = 2; divisor * divisor <= value; divisor += 1) if (value % divisor === 0) return false;
  return true;
}
