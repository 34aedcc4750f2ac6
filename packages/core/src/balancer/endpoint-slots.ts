import type { Endpoint } from "../model/endpoint.ts";

/** An endpoint that is to be, by an id that no other one of the list has. */
export type WantedEndpoint = Omit<Endpoint, "slot" | "incarnation">;

/**
 * Gives the endpoints of lists their slots. One that stays keeps its object and its slot; one that is not the same any
 * more is another endpoint in the same slot; a new one gets the lowest slot that is free, so that one that replaces another takes its place.
 */
export class EndpointSlots<Wanted extends WantedEndpoint> {
  #current: ReadonlyMap<string, Readonly<Wanted> & Endpoint> = new Map();
  /** How many endpoints each slot has had. */
  readonly #incarnations: number[] = [];
  readonly #isSame: (known: Wanted, wanted: Wanted) => boolean;

  /** `isSame`: of two with the same id. */
  constructor(isSame: (known: Wanted, wanted: Wanted) => boolean) {
    this.#isSame = isSame;
  }

  find(id: string): (Readonly<Wanted> & Endpoint) | undefined {
    return this.#current.get(id);
  }

  /** In the order of `wanted`. */
  replace(wanted: readonly Wanted[]): readonly (Readonly<Wanted> & Endpoint)[] {
    const taken = new Set<number>();
    for (const { id } of wanted) {
      const known = this.#current.get(id);
      if (known !== undefined) taken.add(known.slot);
    }
    let free = 0;
    const freeSlot = () => {
      while (taken.has(free)) free += 1;
      taken.add(free);
      return free;
    };
    const endpoints = wanted.map((one) => {
      const known = this.#current.get(one.id);
      if (known !== undefined && this.#isSame(known, one)) return known;
      const slot = known?.slot ?? freeSlot();
      const incarnation = (this.#incarnations[slot] ?? 0) + 1;
      this.#incarnations[slot] = incarnation;
      return Object.freeze({ ...one, slot, incarnation });
    });
    this.#current = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
    return endpoints;
  }
}
