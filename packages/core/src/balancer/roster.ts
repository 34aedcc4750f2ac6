import type { Endpoint } from "../model/endpoint.ts";
import { OptionError } from "../model/errors.ts";

/** The endpoints at one moment; never changes, a change makes another one. */
export interface Roster {
  /** One more for each roster that replaces another. */
  readonly version: number;
  readonly endpoints: readonly Endpoint[];
  /** Not among them any more, or not now, but alive: they serve the sessions that live in them, and nothing else. */
  readonly lingering: readonly Endpoint[];
}

export const emptyRoster: Roster = Object.freeze({
  version: 0,
  endpoints: Object.freeze([]),
  lingering: Object.freeze([]),
});

/** @throws OptionError if two endpoints have the same id. */
export function nextRoster(
  previous: Roster,
  endpoints: readonly Endpoint[],
  lingering: readonly Endpoint[] = [],
): Roster {
  const ids = new Set<string>();
  for (const [index, { id }] of endpoints.entries()) {
    if (ids.has(id)) throw new OptionError(`endpoints[${index}].id`, id, "another endpoint has the same id");
    ids.add(id);
  }
  return Object.freeze({
    version: previous.version + 1,
    endpoints: Object.freeze([...endpoints]),
    lingering: Object.freeze([...lingering]),
  });
}
