import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Routing } from "../balancer/routing.ts";
import type { Router } from "../front/proxy/router.ts";
import type { Way } from "../front/proxy/way.ts";
import { RefusalNotices } from "../front/refusal-notice.ts";
import type { RequestLimit } from "../front/request-limit.ts";
import type { TrafficObserver } from "../front/traffic-observer.ts";
import { Via } from "../http/via.ts";
import { idInBackend } from "../model/backend-endpoint-id.ts";
import type { Clock } from "../model/clock.ts";
import type { AffinitySettings } from "../options/affinity-options.ts";
import type { BackendSettings } from "../options/backend-options.ts";
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { FileSettings } from "../options/file-options.ts";
import { PlaneBackend } from "./plane-backend.ts";
import { PlaneFiles } from "./plane-files.ts";
import { transportTo } from "./plane-front.ts";
import type { PlaneInFlight, PlaneRates } from "./plane-limits.ts";
import type { PlaneFact } from "./plane-messages.ts";
import { planeRouter, type RoutedPool, strategiesTo } from "./plane-routes.ts";
import { type RoutingParts, routingBy } from "./plane-routing.ts";
import { sentError } from "./sent-error.ts";

export interface RoutedPoolsOptions extends Pick<RoutingParts, "secret" | "balancer" | "random" | "keyFailed"> {
  readonly settings: ClusterSettings;
  /** The app's. */
  readonly routing: Routing | undefined;
  /** Of all requests that have no other one. */
  readonly limit: RequestLimit | undefined;
  /** All others are made of them; and of these, those of requests in flight. */
  readonly rates: PlaneRates;
  readonly limits: PlaneInFlight;
  readonly clock: Clock;
  readonly tell: (fact: PlaneFact) => void;
}

/** Told now and then, of each backend by itself. */
function untrustedNotices(
  backend: string,
  { clock, tell }: Pick<RoutedPoolsOptions, "clock" | "tell">,
): Pick<TrafficObserver, "endpointUntrusted"> {
  let last: { readonly endpoint: string; readonly error: Error } | undefined;
  const notices = new RefusalNotices(clock, (refused) => {
    const { endpoint, error } = last!;
    tell({ kind: "endpoint-untrusted", backend, endpoint, error: sentError(error), refused });
  });
  return {
    endpointUntrusted: ({ id }, error) => {
      last = { endpoint: idInBackend(id), error };
      notices.note();
    },
  };
}

/** What requests may still be on their way to, that no route leads to any more. */
interface Left {
  emptied(): Promise<void>;
  close(): void;
}

interface OpenedFiles {
  readonly settings: FileSettings;
  readonly files: PlaneFiles;
}

/** Requests that are held back by a limit, or wait for their turn, know their way already: so long it stays open. */
const leftMs = 60_000;

/** The named backends of a cluster, and the routes to them and to the app. */
export class RoutedPools {
  /** Makes the router over them. Undefined: there are no routes. */
  router: ((otherwise: Way) => Router) | undefined;
  /** Takes the cookies of all of them out of a Cookie header. Undefined: the app's is the only one. */
  stripCookie: ((header: string) => string) | undefined;
  readonly #options: RoutedPoolsOptions;
  readonly #via: Via;
  readonly #left = new Set<Left>();
  #settings: ClusterSettings;
  #backends: ReadonlyMap<string, PlaneBackend> = new Map();
  #files: readonly OpenedFiles[] = [];
  /** All that requests are placed by. */
  #routings: Routing[] = [];

  constructor(options: RoutedPoolsOptions) {
    const { settings, secret } = options;
    this.#options = options;
    this.#settings = settings;
    this.#via = new Via(`lb-${createHash("sha256").update(`via ${secret}`).digest("hex").slice(0, 12)}`);
    this.use(settings, options);
  }

  /** By name. */
  get backends(): ReadonlyMap<string, PlaneBackend> {
    return this.#backends;
  }

  /** Other routes and backends. Those that are as they were go on as they are; of the others, what is under way on them. */
  use(
    settings: ClusterSettings,
    { limit, rates, limits }: Pick<RoutedPoolsOptions, "limit" | "rates" | "limits">,
  ): void {
    const { routing, clock, random } = this.#options;
    const { routes, front } = settings;
    this.#settings = settings;
    const before = this.#backends;
    this.#backends = new Map(
      Object.entries(settings.backends).flatMap(([name, own]): [string, PlaneBackend][] =>
        own.program?.kind === "worker" ? [] : [[name, this.#backend(name, { own, known: before.get(name), limits })]],
      ),
    );
    for (const [name, backend] of before) if (this.#backends.get(name) !== backend) this.#leave(backend);
    this.#routings = [routing, ...[...this.#backends.values()].map((backend) => backend.routing)].flatMap(
      (one) => one ?? [],
    );
    const opened = new Set(this.#files);
    const kept: OpenedFiles[] = [];
    const files = (wanted: FileSettings): PlaneFiles => {
      const known = [...opened].find((one) => isDeepStrictEqual(one.settings, wanted));
      const one = known ?? { settings: wanted, files: new PlaneFiles({ settings: wanted, clock, random }) };
      opened.delete(one);
      kept.push(one);
      return one.files;
    };
    this.stripCookie = routes.length === 0 ? undefined : (header) => this.#withoutCookies(header);
    this.router =
      routes.length === 0
        ? undefined
        : (otherwise) => {
            const router = planeRouter({
              routes,
              front,
              pools: this.#pools(otherwise),
              files,
              otherwise,
              app: settings.instances > 0,
              limit,
              limitOf: (own, route) => rates.limit(own, route),
              inFlightOf: (route) => limits.limit(route, { route: route.name }),
              random,
              via: this.#via,
            });
            this.#filesAre(kept);
            return router;
          };
    if (routes.length === 0) this.#filesAre(kept);
  }

  close(): void {
    for (const backend of this.#backends.values()) backend.close();
    for (const { files } of this.#files) files.close();
    for (const one of this.#left) one.close();
    this.#left.clear();
  }

  #filesAre(files: readonly OpenedFiles[]): void {
    for (const one of this.#files) if (!files.includes(one)) this.#leave(one.files);
    this.#files = files;
  }

  #backend(
    name: string,
    {
      own,
      known,
      limits,
    }: { readonly own: BackendSettings; readonly known: PlaneBackend | undefined; readonly limits: PlaneInFlight },
  ): PlaneBackend {
    const { secret, random, keyFailed, clock, tell } = this.#options;
    const { socketIo, front, routes } = this.#settings;
    const strategies = strategiesTo(name, routes);
    if (known?.canUse(own) === true) {
      known.use({ settings: own, strategies, limits });
      return known;
    }
    return new PlaneBackend({
      name,
      settings: own,
      socketIo,
      backendHeader: front.backendHeader,
      strategies,
      secret,
      clock,
      random,
      transport: (reached) =>
        transportTo(reached, {
          clock,
          tell: (fact) => tell(fact.kind === "link-broken" ? { ...fact, backend: name } : fact),
          observer: untrustedNotices(name, { clock, tell }),
        }),
      keyFailed,
      limits,
      tell,
    });
  }

  /** It is closed once nothing can be under way to it. */
  #leave(one: Left): void {
    this.#left.add(one);
    this.#options.clock.after(leftMs, () => {
      if (!this.#left.has(one)) return;
      void one.emptied().then(() => {
        if (this.#left.delete(one)) one.close();
      });
    });
  }

  #withoutCookies(header: string): string {
    let left = header;
    for (const { affinity } of this.#routings) if (left !== "") left = affinity.stripCookie?.(left) ?? left;
    return left;
  }

  #pools(otherwise: Way): ReadonlyMap<string, RoutedPool> {
    const { routing } = this.#options;
    const settings = this.#settings;
    const app: RoutedPool = {
      pool: otherwise.pool,
      routing,
      strategies: strategiesTo("app", settings.routes),
      inFlight: otherwise.inFlight,
      host: undefined,
      isApp: true,
      routingBy: (affinity) => this.#appRouting(affinity),
    };
    const others = [...this.#backends].map(([name, backend]): [string, RoutedPool] => {
      const routingBy = (affinity: AffinitySettings) => this.#note(backend.routingBy(affinity));
      const { pool, routing: own, strategies, host, isApp } = backend;
      const isOwn = settings.backends[name]!.maxRequestsInFlight !== undefined;
      const inFlight = isOwn ? backend.inFlight : otherwise.inFlight;
      return [name, { pool, routing: own, strategies, inFlight, host, isApp, routingBy }];
    });
    return new Map([["app", app], ...others]);
  }

  #appRouting(affinity: AffinitySettings): Routing {
    const { secret, balancer, random, keyFailed } = this.#options;
    return this.#note(routingBy(affinity, { secret, balancer, random, keyFailed, nameOf: ({ slot }) => `${slot}` }));
  }

  #note(routing: Routing): Routing {
    this.#routings.push(routing);
    return routing;
  }
}
