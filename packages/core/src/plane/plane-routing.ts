import { Affinity } from "../affinity/affinity.ts";
import type { Balancer } from "../balancer/balancer.ts";
import { Routing, type RoutingOptions } from "../balancer/routing.ts";
import { systemWallClock } from "../model/clock.ts";
import type { LbError } from "../model/errors.ts";
import type { Random } from "../model/random.ts";
import type { AffinitySettings } from "../options/affinity-options.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";

export interface PlaneRoutingOptions {
  readonly settings: ClusterSettings;
  /** Signs where the settings name no secret. */
  readonly secret: string;
  readonly balancer: Balancer;
  readonly random: Random;
  readonly keyFailed: (error: LbError) => void;
}

export interface RoutingParts
  extends Pick<PlaneRoutingOptions, "secret" | "keyFailed">,
    Omit<RoutingOptions, "affinity"> {}

/** What a cluster goes by that was given no affinity. */
export const sessionAffinity: AffinitySettings = [{ kind: "socket.io", secrets: undefined }];

/** What requests to an app of ours belong somewhere by, if by anything. Without an affinity: sessions of Engine.IO, once an instance has that. */
export function belongsBy({
  affinity,
  socketIo,
}: Pick<ClusterSettings, "affinity" | "socketIo">): AffinitySettings | undefined {
  return affinity ?? (socketIo === false ? undefined : sessionAffinity);
}

/** The affinity of a cluster's requests, if it has one, over the roster of `balancer`. Keys belong to slots, not to workers. */
export function planeRouting({
  settings,
  secret,
  balancer,
  random,
  keyFailed,
}: PlaneRoutingOptions): Routing | undefined {
  const goesBy = belongsBy(settings);
  if (goesBy === undefined) return undefined;
  const standsBy = settings.affinity === undefined;
  return routingBy(goesBy, { secret, balancer, random, keyFailed, nameOf: ({ slot }) => `${slot}`, standsBy });
}

/** Where requests belong by these rules, over the roster of the balancer. */
export function routingBy(settings: AffinitySettings, { secret, keyFailed, ...parts }: RoutingParts): Routing {
  const affinity = new Affinity({ settings, secret, wallClock: systemWallClock, keyFailed });
  const routing = new Routing({ affinity, ...parts });
  const { balancer } = parts;
  routing.update(balancer.roster);
  balancer.subscribe((event) => {
    if (event.type === "roster") routing.update(event.roster);
  });
  return routing;
}
