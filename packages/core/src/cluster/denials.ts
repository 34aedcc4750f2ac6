import type { DeniedRange } from "../control/denied-range.ts";
import { type Denial, DenyList } from "../front/deny-list.ts";
import { type AddressRange, rangeText } from "../model/address-range.ts";
import type { Clock } from "../model/clock.ts";
import { LbError } from "../model/errors.ts";
import { addressRange } from "../options/address-range.ts";
import { milliseconds, parseOptions } from "../options/validation.ts";
import type { Traffic } from "./traffic.ts";

export interface DenialsOptions {
  /** Those of the settings. */
  readonly given: readonly AddressRange[];
  readonly traffic: Pick<Traffic, "order">;
  readonly clock: Clock;
}

const maxForMs = 366 * 86_400_000;
/** Of which a range may have a part. */
const loopbacks = ["127.0.0.1", "::1"];

/** Who is kept out by an operator: what the fronts were told, and for how long. */
export class Denials {
  readonly #traffic: DenialsOptions["traffic"];
  readonly #clock: Clock;
  readonly #list: DenyList;
  #given: readonly AddressRange[];

  constructor({ given, traffic, clock }: DenialsOptions) {
    this.#traffic = traffic;
    this.#clock = clock;
    this.#given = given;
    this.#list = new DenyList(clock);
    for (const range of given) this.#list.set(range, Number.POSITIVE_INFINITY);
  }

  /** @throws OptionError for what is no range, or everybody; LbError `LB_DENY_FULL` */
  deny(text: string, forMs: number | undefined): DeniedRange {
    const range = parseOptions(addressRange, text, "range");
    const ms = forMs === undefined ? Number.POSITIVE_INFINITY : parseOptions(milliseconds(1, maxForMs), forMs, "forMs");
    if (!this.#list.set(range, ms)) {
      throw new LbError("LB_DENY_FULL", "10,000 ranges are kept out already: allow some, or deny wider ones.");
    }
    this.#traffic.order({ kind: "deny", range, ...(forMs !== undefined && { forMs }) });
    return this.#shown({ range, until: this.#clock.now() + ms });
  }

  /** Whether this very range was kept out. @throws OptionError for what is no range */
  allow(text: string): boolean {
    const range = parseOptions(addressRange, text, "range");
    this.#traffic.order({ kind: "allow", range });
    return this.#list.delete(range);
  }

  /** These are those of the settings now. What an operator has denied by itself stays. */
  use(given: readonly AddressRange[]): void {
    const [before, after] = [this.#given, given].map((ranges) => new Set(ranges.map(rangeText)));
    for (const range of this.#given) if (!after!.has(rangeText(range))) this.allow(rangeText(range));
    for (const range of given) if (!before!.has(rangeText(range))) this.deny(rangeText(range), undefined);
    this.#given = given;
  }

  get all(): readonly DeniedRange[] {
    return this.#list.all.map((denial) => this.#shown(denial));
  }

  #shown({ range, until }: Denial): DeniedRange {
    const left = until - this.#clock.now();
    const only = new DenyList(this.#clock);
    only.set(range, Number.POSITIVE_INFINITY);
    return {
      range: rangeText(range),
      leftMs: left === Number.POSITIVE_INFINITY ? null : Math.max(0, Math.round(left)),
      loopback: loopbacks.some((address) => only.find(address) !== undefined),
    };
  }
}
