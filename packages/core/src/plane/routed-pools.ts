import { createHash } from "node:crypto";
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
import type { ClusterSettings } from "../options/cluster-settings.ts";
import type { FileSettings } from "../options/file-options.ts";
import { PlaneBackend } from "./plane-backend.ts";
import { PlaneFiles, type PlaneFilesOptions } from "./plane-files.ts";
import { transportTo } from "./plane-front.ts";
import { type PlaneInFlight, planeLimit } from "./plane-limits.ts";
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
  /** All others, of requests in flight, are made of them. */
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

/** The named backends of a cluster, and the routes to them and to the app. */
export class RoutedPools {
  /** By name. */
  readonly backends: ReadonlyMap<string, PlaneBackend>;
  /** Makes the router over them. Undefined: there are no routes. */
  readonly router: ((otherwise: Way) => Router) | undefined;
  /** Takes the cookies of all of them out of a Cookie header. Undefined: the app's is the only one. */
  readonly stripCookie: ((header: string) => string) | undefined;
  readonly #options: RoutedPoolsOptions;
  readonly #files: PlaneFiles[] = [];
  /** All that requests are placed by. */
  readonly #routings: Routing[] = [];

  constructor(options: RoutedPoolsOptions) {
    const { settings, routing, limit, limits, secret, random, keyFailed, clock, tell } = options;
    const { routes, front } = settings;
    this.#options = options;
    this.backends = new Map(
      Object.entries(settings.backends).flatMap(([name, own]): [string, PlaneBackend][] => {
        if (own.program?.kind === "worker") return [];
        const backend = new PlaneBackend({
          name,
          settings: own,
          socketIo: settings.socketIo,
          backendHeader: front.backendHeader,
          strategies: strategiesTo(name, routes),
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
        return [[name, backend]];
      }),
    );
    for (const known of [routing, ...[...this.backends.values()].map((backend) => backend.routing)]) this.#note(known);
    if (routes.length === 0) return;
    this.stripCookie = (header) => this.#withoutCookies(header);
    const via = new Via(`lb-${createHash("sha256").update(`via ${secret}`).digest("hex").slice(0, 12)}`);
    const files = (opened: FileSettings) => this.#opened({ settings: opened, clock, random });
    this.router = (otherwise) =>
      planeRouter({
        routes,
        front,
        pools: this.#pools(otherwise),
        files,
        otherwise,
        app: settings.instances > 0,
        limit,
        limitOf: (own, route) => planeLimit(own, { clock, tell, route }),
        inFlightOf: (route) => limits.limit(route, { route: route.name }),
        random,
        via,
      });
  }

  close(): void {
    for (const backend of this.backends.values()) backend.close();
    for (const files of this.#files) files.close();
  }

  #opened(options: PlaneFilesOptions): PlaneFiles {
    const files = new PlaneFiles(options);
    this.#files.push(files);
    return files;
  }

  #withoutCookies(header: string): string {
    let left = header;
    for (const { affinity } of this.#routings) if (left !== "") left = affinity.stripCookie?.(left) ?? left;
    return left;
  }

  #pools(otherwise: Way): ReadonlyMap<string, RoutedPool> {
    const { settings, routing } = this.#options;
    const app: RoutedPool = {
      pool: otherwise.pool,
      routing,
      strategies: strategiesTo("app", settings.routes),
      inFlight: otherwise.inFlight,
      host: undefined,
      isApp: true,
      routingBy: (affinity) => this.#appRouting(affinity),
    };
    const others = [...this.backends].map(([name, backend]): [string, RoutedPool] => {
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

  #note<Known extends Routing | undefined>(routing: Known): Known {
    if (routing !== undefined) this.#routings.push(routing);
    return routing;
  }
}
