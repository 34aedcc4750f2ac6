import { isDeepStrictEqual } from "node:util";
import {
  EndpointSource,
  type SharedReach,
  type BackendEndpoint as SourcedEndpoint,
} from "../backends/endpoint-source.ts";
import { SystemNames } from "../backends/names.ts";
import { isOwnListener } from "../backends/own-listeners.ts";
import { certificateFiles, sharedReach } from "../backends/shared-reach.ts";
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
import { FileWatch } from "../tls/file-watch.ts";
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
  #listeners: readonly ListenerAddress[] = [];
  #closed = false;

  constructor(options: NamedBackendsOptions) {
    this.#options = options;
  }

  /**
   * Resolves when each name was looked up once, whatever came of it. `listeners` are ours, and nobody's endpoints: what is sent
   * there would come back.
   *
   * @throws LbError `LB_CERTIFICATE` for a file that cannot be read
   */
  async begin(listeners: readonly ListenerAddress[]): Promise<void> {
    this.#listeners = listeners;
    this.#followed = followedOf(this.#options.backends).map(([name, settings]) => this.#follow(name, settings));
    await Promise.all(this.#followed.map((backend) => backend.begin()));
  }

  /**
   * Makes ready for others, and returns the call that follows them, once the traffic knows them. Those that are as they were go on.
   *
   * @throws LbError `LB_CERTIFICATE` for a file that cannot be read; then all stays as it was
   */
  prepare(others: Readonly<Record<string, BackendSettings>>): () => void {
    const wanted = followedOf(others);
    for (const [name, settings] of wanted) sharedReach(settings, `backends.${name}`);
    return () => {
      if (this.#closed) return;
      const before = new Map(this.#followed.map((one) => [one.name, one]));
      this.#followed = wanted.map(([name, settings]) => {
        const known = before.get(name);
        if (known?.follows(settings) !== true) return this.#follow(name, settings);
        before.delete(name);
        return known;
      });
      for (const one of before.values()) void one.close();
      for (const one of this.#followed) void one.begin();
    };
  }

  #follow(name: string, settings: FollowedSettings): FollowedBackend {
    const isOwn = (address: Address) => isOwnListener(address, this.#listeners);
    return new FollowedBackend(name, settings, { ...this.#options, isOwn });
  }

  /**
   * Reads the certificates of all of them anew.
   *
   * @throws LbError `LB_CERTIFICATE` for the first that cannot be used, which then stay as they were
   */
  reread(): void {
    for (const backend of this.#followed) backend.reread();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#followed.map((backend) => backend.close()));
  }
}

interface Surroundings extends Omit<NamedBackendsOptions, "backends"> {
  readonly isOwn: (address: Address) => boolean;
}

type FollowedSettings = BackendSettings & { readonly endpoints: NonNullable<BackendSettings["endpoints"]> };

/** Those of a program are told by whoever runs it. */
function followedOf(backends: Readonly<Record<string, BackendSettings>>): readonly [string, FollowedSettings][] {
  return Object.entries(backends).flatMap(([name, settings]): [string, FollowedSettings][] => {
    const { endpoints } = settings;
    return endpoints === undefined ? [] : [[name, { ...settings, endpoints }]];
  });
}

class FollowedBackend {
  readonly #backend: string;
  readonly #settings: FollowedSettings;
  readonly #traffic: Traffic;
  readonly #source: EndpointSource;
  readonly #prober: Prober | undefined;
  readonly #watch: FileWatch;
  /** With the certificates as they are now. */
  #reach: SharedReach;

  constructor(backend: string, settings: FollowedSettings, { traffic, events, clock, random, isOwn }: Surroundings) {
    const { endpoints, lookup, health } = settings;
    this.#backend = backend;
    this.#settings = settings;
    this.#traffic = traffic;
    this.#reach = sharedReach(settings, `backends.${backend}`);
    if (health.active !== false) {
      this.#prober = new Prober({
        settings: health.active,
        clock,
        random,
        probedAt: (endpoint) => probedAt(this.#current(endpoint as SourcedEndpoint), settings.host),
        report: ({ id }, { kind }) =>
          traffic.order({ kind: "probed", endpoint: backendEndpointId(backend, id), up: kind === "up" }),
      });
    }
    this.#source = new EndpointSource({
      endpoints,
      reach: this.#reach,
      names: new SystemNames({ servers: lookup.servers }),
      lookup,
      everyMs: lookup.everyMs,
      clock,
      random,
      isOwn,
      changed: (found) => {
        this.#tell(found);
        this.#prober?.update(found);
      },
      notice: (notice) => events.emit("backend-lookup", { backend, ...notice }),
    });
    this.#watch = new FileWatch({
      files: () => certificateFiles(settings.tls),
      clock,
      reread: () => this.reread(),
      renewed: () => events.emit("backend-certificates", { backend, error: undefined }),
      failed: (error) => events.emit("backend-certificates", { backend, error }),
    });
  }

  get name(): string {
    return this.#backend;
  }

  /** Its endpoints are found, reached and checked in this way. */
  follows(settings: FollowedSettings): boolean {
    const of = ({ endpoints, lookup, tls, pool, proxyProtocol, host, affinity, health }: FollowedSettings) => {
      return [endpoints, lookup, tls, pool, proxyProtocol, host, affinity, health.active];
    };
    return isDeepStrictEqual(of(this.#settings), of(settings));
  }

  /** Resolves when each name was looked up once, and the files are known as they are. */
  async begin(): Promise<void> {
    const watched = certificateFiles(this.#settings.tls).length > 0;
    await Promise.all([this.#source.settled, watched && this.#watch.begin()]);
  }

  reread(): void {
    this.#reach = sharedReach(this.#settings, `backends.${this.#backend}`);
    this.#tell(this.#source.endpoints);
  }

  #tell(found: readonly SourcedEndpoint[]): void {
    const endpoints = found.map((one) => reached(this.#backend, this.#current(one)));
    this.#traffic.order({ kind: "backend", backend: this.#backend, endpoints });
  }

  /** Whenever it was found, what is believed of it is what the files say now. */
  #current(endpoint: SourcedEndpoint): SourcedEndpoint {
    const { reach } = endpoint;
    return reach.tls === undefined
      ? endpoint
      : { ...endpoint, reach: { ...reach, tls: { ...reach.tls, ...this.#reach.tls } } };
  }

  async close(): Promise<void> {
    this.#watch.stop();
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
