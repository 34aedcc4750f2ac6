import { EndpointSource, type BackendEndpoint as SourcedEndpoint } from "../backends/endpoint-source.ts";
import { SystemNames } from "../backends/names.ts";
import { isOwnListener } from "../backends/own-listeners.ts";
import { sharedReach } from "../backends/shared-reach.ts";
import type { ClusterEventMap } from "../events/cluster-event-map.ts";
import type { ClusterEvents } from "../events/cluster-events.ts";
import { backendEndpointId } from "../model/backend-endpoint-id.ts";
import type { Clock } from "../model/clock.ts";
import type { Address } from "../model/endpoint.ts";
import type { ListenerAddress } from "../model/listener-address.ts";
import type { Random } from "../model/random.ts";
import type { BackendSettings } from "../options/backend-options.ts";
import type { ReachedEndpoint } from "../plane/plane-messages.ts";
import type { ProbedAt } from "../probe/http-probe.ts";
import { Prober } from "../probe/prober.ts";
import type { Traffic } from "./traffic.ts";

export interface NamedBackendsOptions {
  readonly backends: Readonly<Record<string, BackendSettings>>;
  readonly traffic: Traffic;
  readonly events: ClusterEvents<ClusterEventMap>;
  readonly clock: Clock;
  readonly random: Random;
}

/** Where the endpoints of named backends are, and how their checks come back: found out here, and told the traffic. */
export class NamedBackends {
  readonly #options: NamedBackendsOptions;
  #followed: readonly FollowedBackend[] = [];

  constructor(options: NamedBackendsOptions) {
    this.#options = options;
  }

  /**
   * Resolves when each name was looked up once, whatever came of it. `listeners` are ours, and nobody's endpoints: what is sent
   * there would come back.
   *
   * @throws OptionError for a file that cannot be read
   */
  async begin(listeners: readonly ListenerAddress[]): Promise<void> {
    const isOwn = (address: Address) => isOwnListener(address, listeners);
    this.#followed = Object.entries(this.#options.backends).flatMap(([name, settings]) => {
      const { endpoints } = settings;
      // Those of a program are told by whoever runs it.
      if (endpoints === undefined) return [];
      return new FollowedBackend(name, { ...settings, endpoints }, { ...this.#options, isOwn });
    });
    await Promise.all(this.#followed.map(({ settled }) => settled));
  }

  async close(): Promise<void> {
    await Promise.all(this.#followed.map((backend) => backend.close()));
  }
}

interface Surroundings extends Omit<NamedBackendsOptions, "backends"> {
  readonly isOwn: (address: Address) => boolean;
}

type FollowedSettings = BackendSettings & { readonly endpoints: NonNullable<BackendSettings["endpoints"]> };

class FollowedBackend {
  readonly #source: EndpointSource;
  readonly #prober: Prober | undefined;

  constructor(backend: string, settings: FollowedSettings, { traffic, events, clock, random, isOwn }: Surroundings) {
    const { endpoints, lookup, health } = settings;
    if (health.active !== false) {
      this.#prober = new Prober({
        settings: health.active,
        clock,
        random,
        probedAt: (endpoint) => probedAt(endpoint as SourcedEndpoint, settings.host),
        report: ({ id }, { kind }) =>
          traffic.order({ kind: "probed", endpoint: backendEndpointId(backend, id), up: kind === "up" }),
      });
    }
    this.#source = new EndpointSource({
      endpoints,
      reach: sharedReach(settings, `backends.${backend}`),
      names: new SystemNames({ servers: lookup.servers }),
      lookup,
      everyMs: lookup.everyMs,
      clock,
      random,
      isOwn,
      changed: (found) => {
        traffic.order({ kind: "backend", backend, endpoints: found.map((one) => reached(backend, one)) });
        this.#prober?.update(found);
      },
      notice: (notice) => events.emit("backend-lookup", { backend, ...notice }),
    });
  }

  get settled(): Promise<void> {
    return this.#source.settled;
  }

  async close(): Promise<void> {
    this.#source.close();
    await this.#prober?.close();
  }
}

function reached(backend: string, { reach, url, id, ...endpoint }: SourcedEndpoint): ReachedEndpoint {
  return {
    endpoint: { ...endpoint, id: backendEndpointId(backend, id) },
    reach: { kind: "http1", ...reach },
    shownAs: url,
  };
}

/** As requests come there: what answers to a name alone is asked by it. */
function probedAt({ reach, url }: SourcedEndpoint, host = URL.canParse(url) ? new URL(url).host : ""): ProbedAt {
  return { ...reach, ...(host !== "" && { host }) };
}
