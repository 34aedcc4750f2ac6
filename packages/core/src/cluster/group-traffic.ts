import type { EndpointStatus } from "../balancer/status.ts";
import { backendEndpointId } from "../model/backend-endpoint-id.ts";
import type { Address, Endpoint } from "../model/endpoint.ts";
import type { Http1Reach } from "../model/http1-reach.ts";
import { addressText } from "../model/listener-address.ts";
import type { ExecSettings } from "../options/exec-options.ts";
import type { ReachedEndpoint } from "../plane/plane-messages.ts";
import { reachedAt } from "../supervisor/ports.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { programPool } from "./program-instances.ts";
import type { Traffic } from "./traffic.ts";

export interface GroupTrafficOptions {
  readonly traffic: Traffic;
  /** Whose program they are; undefined: they are the app's. */
  readonly backend: string | undefined;
  readonly supervisor: Supervisor;
  /** Where its instances listen. */
  readonly host: string;
  /** What they run; undefined: the app. */
  readonly exec: ExecSettings | undefined;
}

/** What operations want of the traffic. */
export interface InstancesInTraffic
  extends Pick<GroupTraffic, "counts" | "setCanary" | "watch" | "settled" | "isSame"> {
  /** Where an instance answers plain HTTP. Undefined: it does not. */
  directAddress(endpoint: Endpoint): Address | undefined;
}

/** Of instances that get no requests. */
export const noTraffic: InstancesInTraffic = {
  counts: [],
  setCanary() {},
  watch: () => () => {},
  settled: async () => {},
  isSame: () => false,
  directAddress: () => undefined,
};

/** The instances of one group as the traffic has them: what it calls them, what it is told of them, and what it says of them. */
export class GroupTraffic {
  readonly #options: GroupTrafficOptions;
  readonly #pool: Pick<Http1Reach, "pool">;

  constructor(options: GroupTrafficOptions) {
    this.#options = options;
    this.#pool = options.exec === undefined ? {} : { pool: programPool(options.exec) };
  }

  /** Undefined: they are the app's. */
  get backend(): string | undefined {
    return this.#options.backend;
  }

  /** How requests get to the endpoint of a worker that is ready. */
  reached(endpoint: Endpoint): ReachedEndpoint {
    const { supervisor } = this.#options;
    const host = reachedAt(this.#options.host);
    const byItself = supervisor.worker(endpoint)?.reach === "own-port";
    return {
      endpoint: { ...endpoint, id: this.idOf(endpoint) },
      reach: byItself
        ? {
            kind: "http1",
            address: { kind: "tcp", host, port: supervisor.directPort(endpoint) },
            supervised: true,
            ...this.#pool,
          }
        : { kind: "link" },
      shownAs: `${host}:${supervisor.shownPort(endpoint)}`,
    };
  }

  /** Where an instance answers plain HTTP; its private socket does not. */
  directAddress(endpoint: Endpoint): Address {
    const { supervisor, host } = this.#options;
    return { kind: "tcp", host: reachedAt(host), port: supervisor.directPort(endpoint) };
  }

  /** What the balancer counts of them. */
  get counts(): readonly EndpointStatus[] {
    const { traffic, backend } = this.#options;
    const { balancer, backends } = traffic.status();
    return (backend === undefined ? balancer : backends[backend])?.endpoints ?? [];
  }

  probed(endpoint: Endpoint, up: boolean): void {
    this.#options.traffic.order({ kind: "probed", endpoint: this.idOf(endpoint), up });
  }

  /** Of the requests this share goes to these; without any the trial is over. */
  setCanary(endpoints: readonly Endpoint[], share: number): void {
    const { traffic, backend } = this.#options;
    const reached = endpoints.map((endpoint) => this.reached(endpoint));
    traffic.order({ kind: "canary", endpoints: reached, share, ...(backend !== undefined && { backend }) });
  }

  /** Calls `unhealthy` when its health keeps traffic from the endpoint. Returns the call that ends the watch. */
  watch(endpoint: Endpoint, unhealthy: (why: string) => void): () => void {
    return this.#options.traffic.watch({ id: this.idOf(endpoint) }, unhealthy);
  }

  /** Resolves when what the endpoint has in flight has been answered; tunnels are not waited for. */
  settled(endpoint: Endpoint): Promise<void> {
    return this.#options.traffic.settled({ id: this.idOf(endpoint) });
  }

  /** It and what the traffic says of this one are about the same. */
  isSame(endpoint: Endpoint, { id }: Pick<Endpoint, "id">): boolean {
    return this.idOf(endpoint) === id;
  }

  /** What the traffic calls it. */
  idOf(endpoint: Endpoint): string {
    return idInTraffic(endpoint, this.#options.backend);
  }
}

/** Of a backend's: where it is, if that is no private socket, and which instance, as the status has it too. */
export function idInTraffic({ id, address }: Pick<Endpoint, "id" | "address">, backend: string | undefined): string {
  if (backend === undefined) return id;
  const which = `instance ${id}`;
  return backendEndpointId(backend, address.kind === "unix" ? which : `http://${addressText(address)} (${which})`);
}
