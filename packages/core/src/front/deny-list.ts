import { addressKey } from "../affinity/address-key.ts";
import { type AddressRange, rangeText } from "../model/address-range.ts";
import type { Clock } from "../model/clock.ts";

export interface Denial {
  readonly range: AddressRange;
  /** By the list's clock; Infinity: for good. */
  readonly until: number;
}

/** Of one length: by what their addresses begin with. */
type Ranges = Map<string, Denial>;
/** Of IPv4, or of IPv6. */
type Family = Map<number, Ranges>;

/**
 * Addresses that are kept out, each for its time. Looking one up costs as much as there are different prefix lengths,
 * however many ranges there are.
 */
export class DenyList {
  readonly #clock: Clock;
  readonly #maxRanges: number;
  readonly #ipv4: Family = new Map();
  readonly #ipv6: Family = new Map();
  #size = 0;

  constructor(clock: Clock, { maxRanges = 10_000 }: { readonly maxRanges?: number } = {}) {
    this.#clock = clock;
    this.#maxRanges = maxRanges;
  }

  /** In place of what it had of this range. False: there are too many. */
  set(range: AddressRange, forMs: number): boolean {
    const byLength = this.#familyOf(range.address);
    const key = keyIn(range, range.address);
    const known = byLength.get(range.prefixLength)?.has(key) === true;
    if (!known && this.#size >= this.#maxRanges) this.#sweep();
    if (!known && this.#size >= this.#maxRanges) return false;
    let ranges = byLength.get(range.prefixLength);
    if (ranges === undefined) {
      ranges = new Map();
      byLength.set(range.prefixLength, ranges);
    }
    if (!known) this.#size++;
    ranges.set(key, { range, until: this.#clock.now() + forMs });
    return true;
  }

  /** False: this very range was not there. */
  delete(range: AddressRange): boolean {
    const byLength = this.#familyOf(range.address);
    const ranges = byLength.get(range.prefixLength);
    const key = keyIn(range, range.address);
    const denial = ranges?.get(key);
    if (denial === undefined) return false;
    this.#forget(byLength, ranges!, key);
    return denial.until > this.#clock.now();
  }

  /** What keeps this address out; undefined: nothing does. */
  find(address: string): Denial | undefined {
    if (this.#size === 0 || address === "") return undefined;
    const byLength = this.#familyOf(address);
    for (const [prefixLength, ranges] of byLength) {
      const key = keyIn({ prefixLength }, address);
      const denial = ranges.get(key);
      if (denial === undefined) continue;
      if (denial.until > this.#clock.now()) return denial;
      this.#forget(byLength, ranges, key);
    }
    return undefined;
  }

  /** All there are, in the order of their texts. */
  get all(): readonly Denial[] {
    this.#sweep();
    const denials = [this.#ipv4, this.#ipv6].flatMap((byLength) =>
      [...byLength.values()].flatMap((ranges) => [...ranges.values()]),
    );
    return denials.toSorted((one, other) => rangeText(one.range).localeCompare(rangeText(other.range), "en", numeric));
  }

  #familyOf(address: string): Family {
    return address.includes(":") ? this.#ipv6 : this.#ipv4;
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const byLength of [this.#ipv4, this.#ipv6]) {
      for (const ranges of byLength.values()) {
        for (const [key, { until }] of ranges) if (until <= now) this.#forget(byLength, ranges, key);
      }
    }
  }

  #forget(byLength: Map<number, Ranges>, ranges: Ranges, key: string): void {
    const { prefixLength } = ranges.get(key)!.range;
    ranges.delete(key);
    this.#size--;
    if (ranges.size === 0) byLength.delete(prefixLength);
  }
}

const numeric = { numeric: true };

function keyIn({ prefixLength }: Pick<AddressRange, "prefixLength">, address: string): string {
  return addressKey(address, { ipv4PrefixLength: prefixLength, ipv6PrefixLength: prefixLength });
}
