import type { UrlBalancer, UrlBalancerStatus, UrlEndpointInput } from "@lb/core";
import { GatewayError } from "../errors.ts";
import type { RoutedTo } from "./target-options.ts";

export interface PoolsOptions {
  /** Of the `targets` option. */
  readonly own: UrlBalancer;
  /** @throws OptionError for a list that cannot be used */
  readonly create: (targets: readonly UrlEndpointInput[]) => UrlBalancer;
  /** How many are kept besides; beyond that, the one goes whose last request is longest ago. Default 1,000. */
  readonly maxPools?: number;
}

/** One balancer for each list of targets that a router names, so that requests routed alike share what is known of health and load. */
export class Pools {
  readonly #own: UrlBalancer;
  readonly #create: PoolsOptions["create"];
  readonly #maxPools: number;
  /** The one used last at the end. */
  readonly #pools = new Map<string, UrlBalancer>();

  constructor({ own, create, maxPools = 1_000 }: PoolsOptions) {
    this.#own = own;
    this.#create = create;
    this.#maxPools = maxPools;
  }

  /** @throws GatewayError `LB_RULE` for what is no target */
  of(routed: RoutedTo): UrlBalancer {
    if (routed === undefined) return this.#own;
    const list = Array.isArray(routed) ? (routed as readonly UrlEndpointInput[]) : [routed as string | URL];
    const key = typeof routed === "string" ? routed : JSON.stringify(list);
    const known = this.#pools.get(key);
    if (known !== undefined) {
      this.#pools.delete(key);
      this.#pools.set(key, known);
      return known;
    }
    const made = this.#make(list);
    this.#pools.set(key, made);
    if (this.#pools.size > this.#maxPools) this.#dropOldest();
    return made;
  }

  statuses(): readonly UrlBalancerStatus[] {
    return [...this.#pools.values()].map((pool) => pool.status());
  }

  async close(): Promise<void> {
    const pools = [this.#own, ...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.close()));
  }

  #make(list: readonly UrlEndpointInput[]): UrlBalancer {
    try {
      return this.#create(list);
    } catch (cause) {
      throw new GatewayError("LB_RULE", 'The function in the option "router" returned what is no target', { cause });
    }
  }

  /** Its leases stay valid, and what it probed is probed no more. */
  #dropOldest(): void {
    const [[key, pool]] = this.#pools as unknown as [[string, UrlBalancer]];
    this.#pools.delete(key);
    void pool.close();
  }
}
