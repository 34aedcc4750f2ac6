import { isIPv6 } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { Balancer } from "../balancer/balancer.ts";
import type { Routing } from "../balancer/routing.ts";
import type { InFlightLimit } from "../front/proxy/in-flight-limit.ts";
import { type EndpointPlace, Pool } from "../front/proxy/pool.ts";
import type { Transport } from "../front/transport/upstream.ts";
import { HealthTracker } from "../health/tracker.ts";
import type { EventReach } from "../ipc/worker-facts.ts";
import { idInBackend } from "../model/backend-endpoint-id.ts";
import type { Clock } from "../model/clock.ts";
import type { Endpoint } from "../model/endpoint.ts";
import type { LbError } from "../model/errors.ts";
import type { Random } from "../model/random.ts";
import type { AffinitySettings } from "../options/affinity-options.ts";
import type { BackendSettings } from "../options/backend-options.ts";
import type { HealthSettings } from "../options/health-options.ts";
import { cookiesOf } from "../options/pool-cookies.ts";
import { resolveStrategy } from "../strategies/index.ts";
import type { Strategy } from "../strategies/strategy.ts";
import { ofReadyInstances, unservedRequests } from "./plane-balancer.ts";
import { PlaneEndpoints } from "./plane-endpoints.ts";
import type { PlaneInFlight } from "./plane-limits.ts";
import type { PlaneFact, PlaneOrder, ReachedEndpoint } from "./plane-messages.ts";
import type { RoutedPool } from "./plane-routes.ts";
import { belongsBy, routingBy } from "./plane-routing.ts";

export interface PlaneBackendOptions {
  readonly name: string;
  readonly settings: BackendSettings;
  /** Of Socket.IO servers in apps; false: they are left alone. */
  readonly socketIo: EventReach | false;
  /** Responses say where they come from. */
  readonly backendHeader: boolean;
  /** Of routes that lead here, and have their own. */
  readonly strategies: readonly Strategy[];
  readonly secret: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: (reached: ReachedEndpoint) => Transport;
  readonly keyFailed: (error: LbError) => void;
  readonly limits: PlaneInFlight;
  readonly tell: (fact: PlaneFact) => void;
}

/** A named backend: its endpoints, who of them is well, and how requests are spread over them. */
export class PlaneBackend implements RoutedPool {
  readonly name: string;
  readonly balancer: Balancer;
  readonly pool: Pool;
  /** As its own affinity says; undefined: it has none. */
  readonly routing: Routing | undefined;
  strategies: readonly Strategy[];
  inFlight: InFlightLimit | undefined;
  readonly host: string | undefined;
  readonly isApp: boolean;
  readonly #options: PlaneBackendOptions;
  readonly #endpoints = new PlaneEndpoints();
  #known: readonly Endpoint[] = [];

  constructor(options: PlaneBackendOptions) {
    const { name, settings, strategies, clock, random, transport, limits, tell } = options;
    const { strategy, queue, retryBudget, affinity, pool } = settings;
    this.#options = options;
    this.name = name;
    this.strategies = strategies;
    this.host = settings.host;
    this.isApp = settings.program?.runs.kind === "app";
    this.inFlight = limits.limit(settings, { backend: name });
    this.balancer = new Balancer({
      strategy: resolveStrategy(strategy, { random, option: `backends.${name}.strategy` }),
      others: strategies,
      health: new HealthTracker({ settings: healthOf(settings), clock }),
      clock,
      queue,
      retryBudget,
      ...(pool.maxConnections !== Number.POSITIVE_INFINITY && { maxInFlight: pool.maxConnections }),
      refused: unservedRequests(clock, (reason, refused) =>
        tell({ kind: "requests-refused", reason, refused, backend: name }),
      ),
    });
    this.balancer.subscribe((event) => {
      switch (event.type) {
        case "health": {
          const { endpoint, from, to } = event;
          tell({ kind: "backend-health", backend: name, endpoint: idInBackend(endpoint.id), from, to });
          return;
        }
        case "drained": {
          const { endpoint, requests, failures } = event;
          tell({ kind: "backend-drained", backend: name, slot: endpoint.slot, requests, failures });
          return;
        }
        case "roster":
        case "draining":
      }
    });
    this.pool = new Pool({
      balancer: this.balancer,
      clock,
      backend: (endpoint) => {
        const reached = this.#endpoints.reached(endpoint);
        const isShown = this.isApp && options.backendHeader;
        return {
          transport: transport(reached),
          responseLines: isShown ? `X-Backend-Server: ${reached.shownAs}\r\n` : "",
          place: placeOf(reached, settings.host),
        };
      },
      // Of others it cannot be told.
      diedByItself: this.isApp ? ({ id }) => !this.#endpoints.isDoomed(id) : undefined,
    });
    const goesBy = this.isApp ? belongsBy({ affinity, socketIo: options.socketIo }) : affinity;
    this.routing = goesBy && this.routingBy(cookiesOf(name, goesBy), affinity === undefined);
  }

  /** Whether other settings can take the place of its own: endpoints would be reached in the same way. */
  canUse({ host, tls, pool, proxyProtocol, affinity, program }: BackendSettings): boolean {
    const { settings: own } = this.#options;
    // Who runs the program knows how it changes.
    if (own.program !== undefined || program !== undefined) return own.program !== undefined && program !== undefined;
    const { host: ownHost, tls: ownTls, pool: ownPool, proxyProtocol: ownProxy, affinity: ownAffinity } = own;
    return isDeepStrictEqual(
      [host, tls, pool, proxyProtocol, affinity],
      [ownHost, ownTls, ownPool, ownProxy, ownAffinity],
    );
  }

  /** Requests are spread by these from now on. Which endpoints there are is told by orders. */
  use({ settings, strategies, limits }: Pick<PlaneBackendOptions, "settings" | "strategies" | "limits">): void {
    const { name, random } = this.#options;
    const { strategy, queue, retryBudget } = settings;
    this.strategies = strategies;
    this.inFlight = limits.limit(settings, { backend: name });
    this.balancer.use({
      strategy: resolveStrategy(strategy, { random, option: `backends.${name}.strategy` }),
      others: strategies,
      health: healthOf(settings),
      queue,
      retryBudget,
    });
  }

  /** Nobody is sent there any more. Resolves when nothing is open on any of its endpoints. */
  async emptied(): Promise<void> {
    const { endpoints } = this.balancer.roster;
    for (const endpoint of endpoints) this.balancer.setDraining(endpoint);
    await Promise.all(endpoints.map((endpoint) => this.balancer.drained(endpoint)));
  }

  /** Where requests belong by these rules; `standsBy`: not before some instance has sessions. */
  routingBy(settings: AffinitySettings, standsBy = false): Routing {
    const { secret, random, keyFailed, settings: own } = this.#options;
    // A program's instance is the same one after it was replaced.
    const nameOf = ({ id, slot }: Endpoint) => (own.program === undefined ? id : `${slot}`);
    return routingBy(settings, { secret, balancer: this.balancer, random, keyFailed, nameOf, standsBy });
  }

  /** These are its endpoints from now on. Who joins is reachable before it is chosen, and the other way round for who leaves. */
  update({ endpoints: reached, lingering = [], silent = [] }: Extract<PlaneOrder, { kind: "backend" }>): void {
    const endpoints = this.#endpoints.of(reached);
    const lingers = this.#endpoints.of(lingering);
    const known = [...endpoints, ...lingers];
    const left = this.#known.filter((endpoint) => !known.includes(endpoint));
    this.#known = known;
    const before = this.balancer.roster;
    this.pool.update([...new Set([...before.endpoints, ...endpoints])], before.lingering);
    this.balancer.update(endpoints, lingers);
    for (const endpoint of before.endpoints) {
      if (silent.includes(endpoint.id)) this.pool.reach(endpoint)?.transport.silent?.();
    }
    this.pool.update(endpoints, lingers);
    for (const endpoint of endpoints) {
      const { reach } = this.#endpoints.reached(endpoint);
      if (reach.kind === "http1" && reach.tls !== undefined) this.pool.reach(endpoint)?.transport.renewed?.(reach.tls);
    }
    // Until nothing is open on it, it may be asked for; an instance of ours, too, until it has ended.
    if (!this.isApp) for (const endpoint of left) this.#forgetOnceDrained(endpoint);
  }

  /** It is ended on somebody's order. */
  doom(id: string): void {
    this.#endpoints.doom(id);
  }

  /** Its process has ended. */
  ended(id: string): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint !== undefined) this.#forgetOnceDrained(endpoint);
  }

  /** Of its requests this share goes to these; without any the trial is over. */
  setCanary(reached: readonly ReachedEndpoint[], share: number): void {
    this.balancer.setCanary(this.#endpoints.of(reached), share);
  }

  /** Resolves when what the endpoint has in flight has been answered; tunnels are not waited for. */
  async settled(id: string): Promise<void> {
    const endpoint = this.#endpoints.get(id);
    if (endpoint !== undefined) await this.balancer.settled(endpoint);
  }

  /** Resolves when nothing is open on the endpoint, which is none any more. */
  async drained(id: string): Promise<void> {
    const endpoint = this.#endpoints.get(id);
    if (endpoint !== undefined) await this.balancer.drained(endpoint);
  }

  /** A check of one of its endpoints came back. */
  probed(id: string, up: boolean): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint !== undefined) this.balancer.health.observeProbe(endpoint, up);
  }

  #forgetOnceDrained(endpoint: Endpoint): void {
    void this.balancer.drained(endpoint).then(() => this.#forget(endpoint));
  }

  /** Unless it is back by now, or another one is where it was. */
  #forget(endpoint: Endpoint): void {
    const { id } = endpoint;
    if (this.#endpoints.get(id) === endpoint && !this.#known.includes(endpoint)) this.#endpoints.forget(id);
  }

  close(): void {
    this.pool.close();
    this.balancer.close();
  }
}

function healthOf({ health, program }: BackendSettings): HealthSettings {
  return program === undefined ? health : ofReadyInstances(health);
}

/** `host`: what it is called by us. */
function placeOf({ reach, shownAs }: ReachedEndpoint, host: string | undefined): EndpointPlace {
  if (reach.kind === "link") return { basePath: "", authorities: [] };
  const { address, basePath = "" } = reach;
  const named = URL.canParse(shownAs) ? new URL(shownAs).host : "";
  const at = address.kind === "tcp" ? authorityOf(address.host, address.port) : "localhost";
  return {
    basePath,
    authorities: [...new Set([named, at, ...(host === undefined ? [] : [host])])].filter((one) => one !== ""),
  };
}

function authorityOf(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
