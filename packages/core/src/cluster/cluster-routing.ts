import { Affinity } from "../affinity/affinity.ts";
import type { Balancer } from "../balancer/balancer.ts";
import { Routing } from "../balancer/routing.ts";
import { systemWallClock } from "../model/clock.ts";
import type { LbError } from "../model/errors.ts";
import type { Random } from "../model/random.ts";
import type { AffinitySettings } from "../options/affinity-options.ts";

export interface ClusterRoutingOptions {
  readonly settings: AffinitySettings | undefined;
  /** Without an affinity: by the sessions of Engine.IO, once an instance has that. */
  readonly bySessions: boolean;
  /** Signs where the settings name no secret. */
  readonly secret: string;
  readonly balancer: Balancer;
  readonly random: Random;
  readonly keyFailed: (error: LbError) => void;
}

/** What a cluster goes by that was given no affinity. */
export const sessionAffinity: AffinitySettings = [{ kind: "socket.io", secrets: undefined }];

/** The affinity of a cluster's requests, if it has one, over the roster of `balancer`. Keys belong to slots, not to workers. */
export function clusterRouting({
  settings: given,
  bySessions,
  secret,
  balancer,
  random,
  keyFailed,
}: ClusterRoutingOptions): Routing | undefined {
  const settings = given ?? (bySessions ? sessionAffinity : undefined);
  if (settings === undefined) return undefined;
  const affinity = new Affinity({ settings, secret, wallClock: systemWallClock, keyFailed });
  const routing = new Routing({
    affinity,
    balancer,
    random,
    nameOf: ({ slot }) => `${slot}`,
    standsBy: given === undefined,
  });
  balancer.subscribe((event) => {
    if (event.type === "roster") routing.update(event.roster);
  });
  return routing;
}
