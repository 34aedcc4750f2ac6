import type { Balancer } from "../balancer/balancer.ts";
import type { PublicFront } from "../front/public-front.ts";
import { isEligible } from "../health/state.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { ListenError } from "../model/listen-error.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { RosterEvent } from "../supervisor/events.ts";
import type { SuccessorChecks } from "../supervisor/replacement.ts";
import type { InstanceProbes } from "./instance-probes.ts";

export interface TrafficOptions {
  readonly settings: ClusterSettings;
  readonly front: PublicFront;
  readonly balancer: Balancer;
  readonly probes: InstanceProbes | undefined;
  /** It serves, and has said nothing for so long that it gets nothing new. */
  readonly isSilent: (endpoint: Endpoint) => boolean;
}

/** The way of requests: who takes them, who chooses where they go, and who looks whether anybody is there. */
export class Traffic implements SuccessorChecks {
  readonly balancer: Balancer;
  readonly #options: TrafficOptions;

  constructor(options: TrafficOptions) {
    this.balancer = options.balancer;
    this.#options = options;
  }

  /**
   * Opens the public port. Requests wait in the balancer's queue until somebody can take them.
   *
   * @throws ListenError
   */
  async listen(): Promise<number> {
    const { front, settings } = this.#options;
    const { host, port } = settings;
    try {
      return await front.listen();
    } catch (cause) {
      throw new ListenError({ host, port, remedy: 'the option "port" (or the environment variable PORT)' }, cause);
    }
  }

  /** Who joins is reachable before it is chosen; who leaves is not chosen any more before it becomes unreachable. */
  follow({ taking, lingering }: RosterEvent): void {
    const { front, balancer, probes, isSilent } = this.#options;
    const before = balancer.roster;
    front.update([...new Set([...before.endpoints, ...taking])], before.lingering);
    balancer.update(taking, lingering);
    for (const endpoint of before.endpoints) {
      if (!taking.includes(endpoint) && isSilent(endpoint)) front.relieve(endpoint);
    }
    front.update(taking, lingering);
    probes?.update(taking);
  }

  /** Without probes every new worker is healthy. */
  async verify(endpoint: Endpoint): Promise<void> {
    const { probes, settings } = this.#options;
    await probes?.verify(endpoint, settings.startTimeoutMs);
  }

  watch(endpoint: Endpoint, unhealthy: (why: string) => void): () => void {
    return this.balancer.subscribe((event) => {
      if (event.type !== "health" || event.endpoint !== endpoint || isEligible(event.to)) return;
      unhealthy(event.to.kind === "ejected" ? `ejected for ${event.to.cause}` : "its health checks fail");
    });
  }

  /** See {@link PublicFront.settled}. */
  settled(endpoint: Endpoint): Promise<void> {
    return this.#options.front.settled(endpoint);
  }

  /** Takes nothing new, and lets requests finish. Resolves when nothing is open but tunnels, at the latest after `graceMs`. */
  async quiesce(graceMs: number): Promise<void> {
    const { probes, front } = this.#options;
    await probes?.close();
    await front.quiesce(graceMs);
  }

  /** Cuts what is left. */
  async close(): Promise<void> {
    await this.#options.front.close(0);
    this.balancer.close();
  }
}
