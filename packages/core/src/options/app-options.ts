import * as v from "valibot";
import { OptionError } from "../model/errors.ts";
import {
  type BackendOptions,
  backendEntries,
  backendName,
  type NamedBackend,
  type ParsedBackend,
} from "./backend-options.ts";
import type { BackendProgramOptions } from "./backend-program-options.ts";
import { type EntriesOf, option, required } from "./option.ts";
import { type ParsedRoute, type RouteOptions, routeEntries } from "./route-options.ts";
import type { PlacedRoute } from "./route-settings.ts";
import { maxPort } from "./tcp-address.ts";
import { options, wholeNumber, withEntries } from "./validation.ts";

/** Which requests are an app's: a route, without where it leads. */
export type AppRouteOptions = Omit<RouteOptions, "to">;

/** What of {@link BackendOptions} is not about endpoints elsewhere. */
const shared = ["strategy", "affinity", "health", "queue", "maxRequestsInFlight", "retryBudget"] as const;

/** One of several apps of one cluster, with instances, reloads, a size and a log of its own. */
export interface AppOptions extends BackendProgramOptions, Pick<BackendOptions, (typeof shared)[number]> {
  /** What it is called: by `lb reload <name>`, in `lb status`, in front of what it writes, in routes (`to`). */
  readonly name: string;
  /** Which requests are its own: `{ host: "api.example" }`, `[{ path: "/api/*", stripPrefix: "/api" }]`. Default: all that are nobody else's. */
  readonly routes?: AppRouteOptions | readonly AppRouteOptions[];
  /** A public port of its own: all that comes in there goes to it. Default: none. */
  readonly port?: number;
}

const { to: _to, ...appRouteEntries } = routeEntries;
const appRoute = options(appRouteEntries satisfies EntriesOf<AppRouteOptions>);
const routesRemedy = 'give a route, or a list of them: [{ host: "api.example" }, { path: "/api/*" }]';

const routes = v.pipe(
  v.custom<AppRouteOptions | readonly AppRouteOptions[]>((given) => typeof given === "object", routesRemedy),
  v.transform((given): unknown => (Array.isArray(given) ? given : [given])),
  v.array(appRoute, routesRemedy),
  v.minLength(1, "give one route at least; without routes it gets what is nobody else's"),
) as unknown as v.GenericSchema<AppRouteOptions | readonly AppRouteOptions[], readonly Omit<ParsedRoute, "to">[]>;

/** Those that only an app of several has. */
const ownEntries = {
  name: required(backendName, "what it is called: by the commands, in `lb status`, in routes"),
  routes: option(
    routes,
    undefined,
    "which requests are its own: a [route](routes.md) without `to`, or a list of them",
    {
      otherwise: "what is nobody else's",
    },
  ),
  port: option(wholeNumber(0, maxPort), undefined, "a public port of its own, whose requests all go to it", {
    otherwise: "none",
  }),
};

const {
  endpoints: _endpoints,
  host: _host,
  tls: _tls,
  pool,
  proxyProtocol: _proxy,
  lookup,
  ...runEntries
} = backendEntries;

const app = options({ ...ownEntries, ...runEntries } satisfies EntriesOf<AppOptions>);

/** {@link AppOptions}, checked by themselves. */
export type ParsedApp = v.InferOutput<typeof app>;

const apps = v.pipe(
  v.array(app, 'give a list: [{ name: "api", entry: "./api.js", routes: { path: "/api/*" } }]'),
  v.maxLength(256, "give 256 apps at most"),
);

export const appsSchema = withEntries(apps as unknown as v.GenericSchema<readonly AppOptions[], readonly ParsedApp[]>, {
  entries: ownEntries,
});

/** What apps are to those who know of backends and routes alone. */
export interface AppsReading {
  readonly backends: readonly NamedBackend[];
  /** In the order in which they are looked at; behind the option `routes`. */
  readonly routes: readonly PlacedRoute[];
  /** Public ports of their own. */
  readonly ports: readonly { readonly app: string; readonly port: number; readonly option: string }[];
}

export interface AppsSurroundings {
  /** There is another one, of `cluster(…, start)`, `exec` or `entry`: it has what is nobody else's. */
  readonly hasApp: boolean;
  readonly backends: readonly string[];
}

/** @throws OptionError for names that are taken, and for a second app that would have what is nobody else's */
export function readApps(given: readonly ParsedApp[], { hasApp, backends }: AppsSurroundings): AppsReading {
  const taken = new Set(backends);
  const ports = new Map<number, string>();
  const routes: PlacedRoute[] = [];
  const rest: PlacedRoute[] = [];
  for (const [at, { name, kind, routes: own, port }] of given.entries()) {
    const option = `apps[${at}]`;
    if (taken.has(name))
      throw new OptionError(`${option}.name`, name, "there is another one of that name: give each its own");
    taken.add(name);
    if (port !== undefined && port !== 0) {
      const other = ports.get(port);
      if (other !== undefined) throw new OptionError(`${option}.port`, port, `${other} has that: give each its own`);
      ports.set(port, name);
    }
    if (kind === "worker") {
      for (const [what, value] of Object.entries({ routes: own, port })) {
        if (value === undefined) continue;
        throw new OptionError(`${option}.${what}`, value, "a worker gets no requests: leave it out", { hidden: true });
      }
    } else if (own !== undefined) {
      for (const [number, route] of own.entries()) {
        routes.push({ option: `${option}.routes${own.length === 1 ? "" : `[${number}]`}`, route: to(name, route) });
      }
    } else if (port === undefined) rest.push({ option: `${option}.routes`, route: to(name, anything(name)) });
  }
  const [first, second] = rest;
  if (first !== undefined && (hasApp || second !== undefined)) {
    const whose = hasApp ? "the app's" : `those of ${first.route.name}`;
    const { option, route } = second ?? first;
    throw new OptionError(
      option,
      undefined,
      `without them ${route.name} would have all requests that are nobody else's, which are ${whose}: say which are its own, give it a port, or the kind "worker"`,
    );
  }
  return {
    backends: given.map((one, at) => ({ name: one.name, within: `apps[${at}]`, given: backendOf(one) })),
    routes: [...routes, ...rest],
    ports: given.flatMap(({ name, port }, at) =>
      port === undefined ? [] : { app: name, port, option: `apps[${at}].port` },
    ),
  };
}

/** A route for whatever comes. */
export function anything(name: string): Omit<ParsedRoute, "to"> {
  return { ...v.parse(appRoute, {}), name };
}

/** To this backend alone. */
export function to(pool: string, route: Omit<ParsedRoute, "to">): ParsedRoute {
  return { ...route, to: { kind: "pools", parts: [{ pool, weight: 1 }] } };
}

/** What it does not say of endpoints elsewhere is as for any backend. */
function backendOf({ name: _, routes: _routes, port: _port, ...given }: ParsedApp): ParsedBackend {
  return {
    ...given,
    endpoints: undefined,
    host: undefined,
    tls: v.parse(backendEntries.tls, undefined),
    pool: v.parse(pool, undefined),
    proxyProtocol: false,
    lookup: v.parse(lookup, undefined),
  } as ParsedBackend;
}
