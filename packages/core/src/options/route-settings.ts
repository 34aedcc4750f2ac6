import { OptionError } from "../model/errors.ts";
import type { Random } from "../model/random.ts";
import type { RetrySettings } from "../model/retry-policy.ts";
import type { RouteRule } from "../routing/route-rule.ts";
import { namesIn, namesKnown } from "../routing/target-template.ts";
import { unreachableRule } from "../routing/unreachable.ts";
import { resolveStrategy } from "../strategies/index.ts";
import type { Strategy } from "../strategies/strategy.ts";
import type { AffinitySettings } from "./affinity-options.ts";
import type { BackendSettings } from "./backend-options.ts";
import type { BasicAuthSettings } from "./basic-auth-options.ts";
import type { HeaderSettings } from "./header-options.ts";
import type { InFlightSettings } from "./in-flight-options.ts";
import type { Judged } from "./judged.ts";
import type { WaitQueueSettings } from "./queue-options.ts";
import type { RateLimitSettings } from "./rate-limit-options.ts";
import type { ParsedRoute, RouteTimeouts } from "./route-options.ts";
import type { RouteTarget } from "./route-target-options.ts";
import { nearest } from "./validation.ts";

/** A route, and where it stands among the options. */
export interface PlacedRoute {
  readonly option: string;
  readonly route: ParsedRoute;
  /** The number of the one public listener whose requests may take it, and no other route. Absent: those of all others. */
  readonly listener?: number;
}

/** One route, checked beside the others. */
export interface RouteSettings {
  readonly name: string;
  /** Where it stands among the options. */
  readonly option: string;
  /** As in {@link PlacedRoute}. */
  readonly listener: number | undefined;
  readonly rule: RouteRule;
  readonly to: RouteTarget;
  /** What it has nothing for goes on to the routes behind it. */
  readonly passesOn: boolean;
  readonly stripPrefix: string | undefined;
  readonly rewrite: string | undefined;
  readonly rewriteLocations: boolean;
  readonly rewriteCookies: boolean | "mounted";
  /** Undefined: the pool's own. */
  readonly strategy: Strategy | undefined;
  /** Undefined: the pool's own; false: none. */
  readonly affinity: AffinitySettings | false | undefined;
  readonly retry: RetrySettings | undefined;
  readonly timeouts: Partial<RouteTimeouts>;
  readonly maxBodyBytes: number | undefined;
  /** Undefined: the backend's, or the cluster's; false: any number. */
  readonly maxRequestsInFlight: InFlightSettings | false | undefined;
  readonly queue: WaitQueueSettings;
  /** Undefined: the cluster's; false: none. */
  readonly rateLimit: RateLimitSettings | false | undefined;
  readonly headers: HeaderSettings;
  /** Whether a client with this address may. Undefined: all may. */
  readonly allow: ((address: string) => boolean) | undefined;
  /** Whether it may not. Undefined: none is kept out. */
  readonly deny: ((address: string) => boolean) | undefined;
  readonly basicAuth: BasicAuthSettings | undefined;
}

export interface RouteSurroundings {
  /** There is one, and routes may lead to it. */
  readonly app: boolean;
  readonly backends: Readonly<Record<string, BackendSettings>>;
  readonly allowedHosts: ReadonlySet<string> | undefined;
  readonly random: Random;
  readonly judged: Judged;
}

/** @throws OptionError for the first route that leads nowhere, that no request can take, or that says what has no meaning */
export function routeSettings(
  routes: readonly PlacedRoute[],
  { judged, ...surroundings }: RouteSurroundings,
): readonly RouteSettings[] {
  const settings = routes.map((one) => judged(() => settingsOf(one, surroundings)));
  const usable = settings.filter((one) => one !== undefined);
  if (usable.length === routes.length) judged(() => refuseUnreachable(routes, usable));
  return usable;
}

function settingsOf(
  { option, route, listener }: PlacedRoute,
  { app, backends, allowedHosts, random }: Omit<RouteSurroundings, "judged">,
): RouteSettings {
  checkTarget(route, option, { app, backends });
  checkHosts(route, option, allowedHosts);
  checkTexts(route, option, allowedHosts !== undefined);
  const { host, path, method, header, headers, strategy, retry, ...rest } = route;
  return {
    ...rest,
    name: route.name ?? nameOf(route),
    option,
    listener,
    passesOn: route.to.kind === "files" && route.to.files.fallthrough,
    rule: { hosts: host, paths: path, methods: method, headers: header },
    headers: { request: headers.request, response: headers.response },
    strategy: strategy && resolveStrategy(strategy, { random, option: `${option}.strategy` }),
    retry,
  } as RouteSettings;
}

function refuseUnreachable(routes: readonly PlacedRoute[], settings: readonly RouteSettings[]): void {
  const common = [...settings.keys()].filter((number) => settings[number]!.listener === undefined);
  const dead = unreachableRule(
    common.map((number) => ({ rule: settings[number]!.rule, leaves: settings[number]!.passesOn })),
  );
  if (dead === undefined) return;
  const [number, behind] = [common[dead.number]!, common[dead.behind]!];
  const why = `no request gets to it: ${routes[behind]!.option} (${settings[behind]!.name}) takes all of them`;
  throw new OptionError(
    routes[number]!.option,
    settings[number]!.name,
    `${why}; put it before that one, or leave it out`,
  );
}

/** What it matches, as it was written. */
function nameOf({ method, host, path, header }: ParsedRoute): string {
  const parts = [
    method?.join("|"),
    host?.join("|"),
    path?.map(({ text }) => text).join("|"),
    ...header.map((rule) =>
      rule.kind === "present" ? `${rule.present ? "" : "no "}${rule.name}` : `${rule.name}: ${rule.values.join("|")}`,
    ),
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? "*" : parts.join(" ");
}

function checkTarget(
  route: ParsedRoute,
  option: string,
  { app, backends }: Pick<RouteSurroundings, "app" | "backends">,
): void {
  const { to } = route;
  if (to.kind === "pools") {
    const served = Object.keys(backends).filter((name) => backends[name]!.program?.kind !== "worker");
    const known = [...(app ? ["app"] : []), ...served];
    for (const { pool } of to.parts) {
      if (known.includes(pool)) continue;
      if (pool in backends) throw new OptionError(`${option}.to`, pool, "it is a worker, which gets no requests");
      const near = nearest(pool, known);
      const list =
        known.length === 0 ? "there are none" : `there are ${known.map((name) => JSON.stringify(name)).join(", ")}`;
      const remedy = near === undefined ? list : `did you mean ${JSON.stringify(near)}? If not, ${list}`;
      throw new OptionError(`${option}.to`, pool, `there is no such backend: ${remedy}`);
    }
    return;
  }
  const ofPools = ["strategy", "affinity", "retry", "maxBodyBytes", "maxRequestsInFlight"] as const;
  for (const name of to.kind === "files"
    ? (["rewrite", ...ofPools] as const)
    : (["stripPrefix", "rewrite", ...ofPools] as const)) {
    if (route[name] === undefined) continue;
    throw new OptionError(`${option}.${name}`, route[name], "nothing is sent on by this route: leave it out");
  }
}

function checkHosts({ host }: ParsedRoute, option: string, allowedHosts: ReadonlySet<string> | undefined): void {
  if (host === undefined || allowedHosts === undefined) return;
  for (const one of host) {
    const may = one.startsWith("*.")
      ? [...allowedHosts].some((allowed) => allowed.endsWith(one.slice(1)))
      : allowedHosts.has(one);
    if (!may) {
      throw new OptionError(`${option}.host`, one, 'no request may name it: add it to "allowedHosts", or leave it out');
    }
  }
}

/** Templates name what there is, and what a client says leads it to no other host. */
function checkTexts(
  { to, path = [], host, rewrite, stripPrefix }: ParsedRoute,
  option: string,
  hostsKnown: boolean,
): void {
  const known = namesKnown(path);
  const texts = [
    ...(to.kind === "redirect" ? [[`${option}.to.redirect`, to.location] as const] : []),
    ...(rewrite === undefined ? [] : [[`${option}.rewrite`, rewrite] as const]),
  ];
  for (const [where, text] of texts) {
    const unknown = namesIn(text).find((name) => !known.has(name));
    if (unknown !== undefined) {
      const names = [...known].map((name) => `{${name}}`).join(", ");
      throw new OptionError(where, text, `there is no {${unknown}}: use ${names}`);
    }
    if (namesIn(text).includes("host") && !hostsKnown && host === undefined) {
      const why = "{host} is whatever a client writes";
      throw new OptionError(where, text, `${why}: give the route a host, or the option "allowedHosts"`);
    }
  }
  if (stripPrefix === undefined) return;
  if (rewrite !== undefined) throw new OptionError(`${option}.rewrite`, rewrite, "give it or stripPrefix");
  const never = path.find(
    ({ text }) => text.startsWith("/") && !`${text.replace(/\*.*/, "")}/`.startsWith(`${stripPrefix}/`),
  );
  if (never !== undefined) {
    throw new OptionError(`${option}.stripPrefix`, stripPrefix, `the path ${never.text} does not begin with it`);
  }
}
