import type { Routing } from "../balancer/routing.ts";
import { AccessGuard } from "../front/access-guard.ts";
import { BasicAuth } from "../front/basic-auth.ts";
import type { InFlightLimit } from "../front/proxy/in-flight-limit.ts";
import type { Pool } from "../front/proxy/pool.ts";
import { type Destination, type Route, Router } from "../front/proxy/router.ts";
import { Split } from "../front/proxy/split.ts";
import type { PlaceRules, Way } from "../front/proxy/way.ts";
import type { RequestLimit } from "../front/request-limit.ts";
import type { Responder, Response } from "../front/responder.ts";
import type { FrontSettings } from "../front/settings.ts";
import type { UpstreamRules } from "../http/forwarding.ts";
import { mayClimb } from "../http/plain-path.ts";
import type { RequestHead } from "../http/request-head.ts";
import { responseRules } from "../http/response-rules.ts";
import type { Via } from "../http/via.ts";
import type { Random } from "../model/random.ts";
import type { AffinitySettings } from "../options/affinity-options.ts";
import type { FileSettings } from "../options/file-options.ts";
import type { FieldRules } from "../options/header-options.ts";
import { cookiesOf } from "../options/pool-cookies.ts";
import type { RateLimitSettings } from "../options/rate-limit-options.ts";
import type { RouteSettings } from "../options/route-settings.ts";
import { movedPaths } from "../routing/moved-paths.ts";
import { pathOf } from "../routing/path-pattern.ts";
import { TargetTemplate } from "../routing/target-template.ts";
import type { Strategy } from "../strategies/strategy.ts";
import type { PlaneFiles } from "./plane-files.ts";

/** A pool, and what of it can be had by a route. */
export interface RoutedPool {
  readonly pool: Pool;
  /** As the pool's own affinity says; undefined: it has none. */
  readonly routing: Routing | undefined;
  /** Of routes to it, as its balancer knows them from 1 on. */
  readonly strategies: readonly Strategy[];
  /** How many of those requests there may be at a time that have no limit of their own. Undefined: any number. */
  readonly inFlight: InFlightLimit | undefined;
  /** In place of the client's Host. Undefined: that. */
  readonly host: string | undefined;
  /** Instances with our agent in them: no proxy that could send a request back, nor whose responses would name other places. */
  readonly isApp: boolean;
  routingBy(settings: AffinitySettings): Routing;
}

export interface PlaneRoutesOptions {
  readonly routes: readonly RouteSettings[];
  readonly front: FrontSettings;
  /** By name; `"app"` is among them. */
  readonly pools: ReadonlyMap<string, RoutedPool>;
  /** Opens a directory. */
  readonly files: (settings: FileSettings) => PlaneFiles;
  /** Of the app; its limits are those of the settings. */
  readonly otherwise: Way;
  /** There is an app: requests that take no route are its own, and else nobody's. */
  readonly app: boolean;
  /** Of requests without a route, and of routes that have none of their own. */
  readonly limit: RequestLimit | undefined;
  /** Makes a route's own. */
  readonly limitOf: (settings: RateLimitSettings | false, route: string) => RequestLimit | undefined;
  /** Makes a route's own. */
  readonly inFlightOf: (route: RouteSettings) => InFlightLimit | undefined;
  readonly random: Random;
  /** Marks what goes to backends. */
  readonly via: Via;
}

/** The strategies that routes to this pool have of their own. */
export function strategiesTo(pool: string, routes: readonly RouteSettings[]): readonly Strategy[] {
  const wanted = routes.filter(({ to }) => to.kind === "pools" && to.parts.some((part) => part.pool === pool));
  return [...new Set(wanted.flatMap(({ strategy }) => strategy ?? []))];
}

/** The routes of the settings, over the pools there are. */
export function planeRouter(options: PlaneRoutesOptions): Router {
  const { routes, otherwise, app, limit } = options;
  const at = (listener: number | undefined) =>
    routes.filter((route) => route.listener === listener).map((route) => routeOf(route, options));
  const own = [...new Set(routes.flatMap(({ listener }) => listener ?? []))];
  const shared = {
    limit,
    maxBodyBytes: Math.max(otherwise.limits.maxBodyBytes, ...routes.map(({ maxBodyBytes = 0 }) => maxBodyBytes)),
  };
  return new Router({
    ...shared,
    routes: at(undefined),
    otherwise: app ? otherwise : notFound,
    atListener: new Map(
      own.map((listener) => [listener, new Router({ ...shared, routes: at(listener), otherwise: notFound })]),
    ),
  });
}

function routeOf(settings: RouteSettings, { limit, limitOf, ...around }: PlaneRoutesOptions): Route {
  return {
    name: settings.name,
    rule: settings.rule,
    limit: settings.rateLimit === undefined ? limit : limitOf(settings.rateLimit, settings.name),
    limitsItself: settings.rateLimit !== undefined && settings.rateLimit !== false,
    guards: guardsOf(settings),
    destination: destinationOf(settings, around),
  };
}

function guardsOf({ allow, deny, basicAuth }: RouteSettings): readonly Responder[] {
  return [
    ...(allow === undefined && deny === undefined ? [] : [new AccessGuard({ allow, deny })]),
    ...(basicAuth === undefined ? [] : [new BasicAuth(basicAuth)]),
  ];
}

type Around = Omit<PlaneRoutesOptions, "routes" | "otherwise" | "app" | "limit" | "limitOf">;

function destinationOf(settings: RouteSettings, around: Around): Destination {
  const { to, rule } = settings;
  switch (to.kind) {
    case "respond": {
      const { status, fields, body } = to;
      return () => ({ kind: "answer", reason: "respond", status, fields, body });
    }
    case "files": {
      const files = around.files(to.files);
      return files.destination(filesWay(files.pool, settings, around.front), settings.stripPrefix ?? "");
    }
    case "redirect": {
      const location = new TargetTemplate(to.location, rule.paths ?? []);
      const { status } = to;
      return (request) => ({
        kind: "answer",
        reason: "redirect",
        status,
        fields: ["Location", location.fill(request)],
        body: "",
      });
    }
    case "pools": {
      const { maxRequestsInFlight } = settings;
      const own = around.inFlightOf(settings);
      const parts = to.parts.map(({ pool, weight }) => {
        const way = poolWay(pool, settings, around);
        const inFlight = maxRequestsInFlight === undefined ? around.pools.get(pool)!.inFlight : own;
        return { name: pool, weight, way: { ...way, inFlight } };
      });
      const [first] = parts;
      const split = new Split(parts, around.random);
      const choose = parts.length === 1 ? () => first!.way : (request: RequestHead) => split.choose(request);
      const guarded = putsBefore(settings)
        ? (request: RequestHead) => (mayClimb(request.target) ? climbs : choose(request))
        : choose;
      if (to.parts.every(({ pool }) => around.pools.get(pool)!.isApp)) return guarded;
      return (request) => (around.via.isLoop(request.fields) ? loop : guarded(request));
    }
  }
}

const notFound: Response = {
  kind: "answer",
  reason: "no-route",
  status: 404,
  fields: ["Content-Type", "text/plain"],
  body: "404 Not Found\n",
};
const loop: Response = { kind: "refusal", status: 508, reason: "loop" };
const climbs: Response = { kind: "refusal", status: 400, reason: "path-not-plain" };

/** A path is put before what clients ask for, which must not lead out of it. */
function putsBefore({ rewrite }: RouteSettings): boolean {
  return rewrite !== undefined && !/^\/?\{|^\/$/.test(rewrite);
}

function poolWay(name: string, settings: RouteSettings, { front, pools, via }: Around): Omit<Way, "inFlight"> {
  const { affinity, strategy } = settings;
  const routed = pools.get(name)!;
  const { routing, strategies } = routed;
  const changesPath = settings.stripPrefix !== undefined || settings.rewrite !== undefined;
  return {
    ...wayTo({ ...routed, lines: routed.isApp ? "" : via.line }, settings, front),
    places: !routed.isApp || changesPath ? placeRules(settings) : undefined,
    routing:
      affinity === undefined ? routing : affinity === false ? undefined : routed.routingBy(cookiesOf(name, affinity)),
    by: strategy === undefined ? 0 : 1 + strategies.indexOf(strategy),
  };
}

/** What could not be read could not be read a second time either. */
function filesWay(pool: Pool, settings: RouteSettings, front: FrontSettings): Way {
  return {
    ...wayTo({ pool, host: undefined, lines: "" }, settings, front),
    retry: { ...front.retry, attempts: 1 },
    inFlight: undefined,
  };
}

/** `lines`: complete header lines that requests get. */
function wayTo(
  { pool, host, lines }: Pick<RoutedPool, "pool" | "host"> & { readonly lines: string },
  settings: RouteSettings,
  front: FrontSettings,
): Omit<Way, "inFlight"> {
  const { retry, timeouts, maxBodyBytes, headers } = settings;
  const given = Object.entries(timeouts).filter(([, ms]) => ms !== undefined);
  return {
    kind: "way",
    pool,
    balancer: pool.balancer,
    routing: undefined,
    timeouts: { ...front.timeouts, ...Object.fromEntries(given) },
    retry: retry ?? front.retry,
    limits: maxBodyBytes === undefined ? front.limits : { ...front.limits, maxBodyBytes },
    responseRules: responseRules({
      rules: joined(front.headers.response, headers.response),
      security: front.securityHeaders,
    }),
    places: undefined,
    upstream: upstreamRules(settings, { front, host, lines }),
  };
}

/** Undefined: nothing becomes of them. */
function placeRules({ rewriteLocations, rewriteCookies, ...settings }: RouteSettings): PlaceRules | undefined {
  const { stripPrefix, rewrite, rule } = settings;
  const cookies = rewriteCookies === "mounted" ? "mounted" : rewriteCookies ? "moved" : "kept";
  if (!rewriteLocations && cookies === "kept") return undefined;
  return { locations: rewriteLocations, cookies, paths: movedPaths({ stripPrefix, rewrite, paths: rule.paths }) };
}

function upstreamRules(
  settings: RouteSettings,
  { front, host, lines }: Pick<Around, "front"> & Pick<RoutedPool, "host"> & Pick<UpstreamRules, "lines">,
): UpstreamRules | undefined {
  const { headers, stripPrefix, rewrite, rule } = settings;
  const fields = joined(front.headers.request, headers.request);
  if (stripPrefix !== undefined) {
    const dropped = [...(fields?.dropped ?? []), "x-forwarded-prefix"];
    return {
      host,
      fields: { dropped, fields: fields?.fields ?? [] },
      target: (head) => withoutPrefix(head, stripPrefix),
      lines: `X-Forwarded-Prefix: ${stripPrefix}\r\n${lines}`,
    };
  }
  if (rewrite !== undefined) {
    const template = new TargetTemplate(rewrite, rule.paths ?? []);
    return { host, fields, target: (head) => template.fill(head), lines };
  }
  const isPlain = headers.request === undefined && host === undefined && lines === "";
  return isPlain ? undefined : { host, fields, lines };
}

/** The prefix is made of whole segments, and so is what is left. */
function withoutPrefix({ target }: RequestHead, prefix: string): string {
  const path = pathOf(target);
  if (path === prefix) return `/${target.slice(prefix.length)}`;
  return path.startsWith(`${prefix}/`) ? target.slice(prefix.length) : target;
}

/** Where both are about one field, a route's rules count. */
function joined(all: FieldRules | undefined, own: FieldRules | undefined): FieldRules | undefined {
  if (all === undefined || own === undefined) return own ?? all;
  const kept = all.fields.filter((_, index) => !own.dropped.includes(all.fields[index & ~1]!.toLowerCase()));
  return { dropped: [...new Set([...all.dropped, ...own.dropped])], fields: [...kept, ...own.fields] };
}
