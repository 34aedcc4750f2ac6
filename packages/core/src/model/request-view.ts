/**
 * What balancing may look at in a request. Every part is optional, so that a balancer can be used for things that are
 * not HTTP; a strategy or affinity that misses its part falls back to a choice of its own and never throws.
 */
export interface RequestView {
  /** Method token as received, e.g. `"GET"`. */
  readonly method?: string;
  /** Request target as received: path and query, never decoded. */
  readonly target?: string;
  /** The client's IP address, IPv4-mapped IPv6 already reduced to IPv4. */
  readonly clientAddress?: string;
  /** Value of a header by its lower-case name; several fields of the name are joined with `", "`. */
  header?(name: string): string | undefined;
}
