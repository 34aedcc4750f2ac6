/** Where a backend accepts connections. */
export type Address =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/**
 * One incarnation of a backend. A restart puts a new endpoint in the same slot; an endpoint itself never changes, so
 * the object identity is the key of everything that is known about it.
 */
export interface Endpoint {
  /** Stable for this incarnation and unique in a roster, e.g. `"2.1"` or `"http://10.0.0.1:3000"`. */
  readonly id: string;
  /** The place in the roster that outlives incarnations; 0-based. */
  readonly slot: number;
  /** 1 for the first endpoint in the slot, one more for each that replaces it. */
  readonly incarnation: number;
  /** Share of the traffic relative to the others; a finite number > 0. */
  readonly weight: number;
  readonly address: Address;
  /** Where it is, such as the name of a data centre. Absent: nobody has said. */
  readonly zone?: string | undefined;
}

export type NonEmpty<T> = readonly [T, ...T[]];

export function isNonEmpty<T>(list: readonly T[]): list is NonEmpty<T> {
  return list.length > 0;
}
