import type { Balancer } from "../balancer/balancer.ts";
import type { PublicFront } from "../front/public-front.ts";
import type { Endpoint } from "../model/endpoint.ts";

export interface RosterFollowers {
  readonly front: PublicFront;
  readonly balancer: Balancer;
  /** It serves, and has said nothing for so long that it gets nothing new. */
  readonly isSilent: (endpoint: Endpoint) => boolean;
}

/** Who joins is reachable before it is chosen; who leaves is not chosen any more before it becomes unreachable. */
export function followRoster(
  { front, balancer, isSilent }: RosterFollowers,
  roster: readonly Endpoint[],
  lingering: readonly Endpoint[],
): void {
  const before = balancer.roster;
  front.update([...new Set([...before.endpoints, ...roster])], before.lingering);
  balancer.update(roster, lingering);
  for (const endpoint of before.endpoints) {
    if (!roster.includes(endpoint) && isSilent(endpoint)) front.relieve(endpoint);
  }
  front.update(roster, lingering);
}
