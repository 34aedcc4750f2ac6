/** The addresses that begin with the same bits. */
export interface AddressRange {
  /** The first of them, in the form that tables and logs compare. */
  readonly address: string;
  /** How many bits are the same; all of them: it is one address. */
  readonly prefixLength: number;
}

/** `"10.0.0.0/8"`; of one address that alone. */
export function rangeText({ address, prefixLength }: AddressRange): string {
  return prefixLength === (address.includes(":") ? 128 : 32) ? address : `${address}/${prefixLength}`;
}
