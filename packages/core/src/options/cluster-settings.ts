import type * as v from "valibot";
import type { EventReach } from "../ipc/worker-facts.ts";
import { OptionError } from "../model/errors.ts";
import type { OutputLine } from "../model/output-line.ts";
import type { Random } from "../model/random.ts";
import { resolveStrategy } from "../strategies/index.ts";
import type { Strategy } from "../strategies/strategy.ts";
import { matchesNone } from "./address-ranges.ts";
import type { AffinitySettings } from "./affinity-options.ts";
import { type AppsReading, anything, type ParsedApp, readApps, to } from "./app-options.ts";
import { type AutoscaleSettings, autoscaleSettings, maxInstances, withinAutoscale } from "./autoscale-options.ts";
import { type BackendSettings, backendSettings } from "./backend-options.ts";
import { certificatePlaces } from "./certificate-places.ts";
import { type ClusterOptions, clusterSchema } from "./cluster-options.ts";
import type { ExecSettings } from "./exec-options.ts";
import { execSettings } from "./exec-settings.ts";
import { type FrontOptionSettings, type FrontOptions, frontSettings } from "./front-options.ts";
import { gateOptions } from "./gate-options.ts";
import type { InheritedSockets } from "./inherited-sockets.ts";
import { judging } from "./judged.ts";
import { type ListenerSettings, listenersOf } from "./listener-settings.ts";
import { requestIdsOf } from "./request-id-options.ts";
import { type RouteSettings, routeSettings } from "./route-settings.ts";
import { maxPort } from "./tcp-address.ts";
import { type TracingSettings, tracingSettings } from "./tracing-options.ts";
import { optionErrors, parseOptions } from "./validation.ts";

/** What is not as the options have it. */
interface Resolved {
  readonly instances: number;
  readonly autoscale: AutoscaleSettings | undefined;
  /** Undefined: the instances run the app. */
  readonly exec: ExecSettings | undefined;
  /** What the apps take for the public port, if the front listens on no port at all. */
  readonly port: number;
  /** Undefined: derived from the public port, once that is bound. */
  readonly workerPort: number | undefined;
  readonly strategy: Strategy;
  readonly socketIo: EventReach | false;
  readonly output: ((line: OutputLine) => void) | undefined;
  readonly front: FrontOptionSettings & { readonly listeners: readonly ListenerSettings[] };
  readonly tracing: TracingSettings | false;
  readonly routes: readonly RouteSettings[];
  readonly backends: Readonly<Record<string, BackendSettings>>;
  /** What the instances are told of the options in hand-off mode. */
  readonly gate: object | undefined;
}

/** {@link ClusterOptions}, checked and completed. */
export type ClusterSettings = Omit<
  v.InferOutput<typeof clusterSchema>,
  keyof Resolved | keyof FrontOptions | "listen" | "apps"
> &
  Resolved;

/** Where defaults come from that are not constants. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Processors that this process may use. */
  readonly parallelism: number;
  readonly random: Random;
  /** Default: none. */
  readonly inherited?: InheritedSockets;
  /** There is no app: routes take all there is, and instances there are none. Default: there is one. */
  readonly alone?: boolean;
  /** Takes what is wrong with one part, where others can still be judged. Default: it is thrown. */
  readonly found?: (error: OptionError) => void;
}

const noSockets: InheritedSockets = { kind: "ours", sockets: [] };

/** @throws OptionError for the first option, or environment variable, that cannot be used */
export function parseClusterOptions(
  input: unknown,
  { env, parallelism, random, inherited = noSockets, alone = false, found }: Surroundings,
): ClusterSettings {
  const judged = judging(found);
  const { listen, apps: givenApps, ...parsed } = parseOptions(clusterSchema, input, "");
  const https = judged(() => parsed.https && certificatePlaces(parsed.https, env)) ?? parsed.https;
  const given = { ...parsed, https };
  if (given.mode === "handoff") judged(() => refuseProxyOptions(input as ClusterOptions));
  if (given.mode === "handoff") judged(() => refuseRoutes(given.routes.length));
  const apps = judged(() => readApps(givenApps, { hasApp: !alone, backends: Object.keys(given.backends) })) ?? noApps;
  if (given.mode === "handoff") judged(() => refuseApps(givenApps));
  if (given.mode === "handoff" && given.https !== false) judged(() => refuseAffinityByContent(given.affinity));
  if (given.http === "redirect" && given.https === false) {
    judged(() => {
      throw new OptionError("http", given.http, 'there is nothing to redirect to: give the option "https" too');
    });
  }
  const written = (input ?? {}) as ClusterOptions;
  const exec = given.exec && execSettings(given.exec, written);
  const measured = { parallelism, heartbeat: given.heartbeat !== false };
  const runs = exec === undefined ? "app" : "program";
  const autoscale = given.autoscale && autoscaleSettings(given.autoscale, { option: "autoscale", runs, ...measured });
  const { instances = fromEnvironment(env, "WEB_CONCURRENCY", 1, maxInstances) ?? autoscale?.min ?? "auto" } = given;
  const size = instances === "auto" ? parallelism : instances;
  const { port = fromEnvironment(env, "PORT", 0, maxPort) ?? 3_000, host, proxyProtocol } = given;
  const listeners = listenersOf({
    host,
    port,
    portGiven: given.port !== undefined,
    https,
    httpsPortGiven: typeof written.https === "object" && written.https.port !== undefined,
    listen,
    proxyProtocol,
    trustsNobody: given.trustedProxies === matchesNone,
    inherited,
    needed: !alone || given.routes.length + apps.routes.length > 0 || apps.ports.length === 0,
    others: apps.ports,
  });
  const first = listeners.length - apps.ports.length;
  const ofPorts = apps.ports.map(({ app, option }, at) => ({
    option,
    listener: first + at,
    route: to(app, anything(`${app}, at its own port`)),
  }));
  const front = connectionsOf(frontSettings(given), { given: written, most: autoscale?.max ?? size });
  const tracing = tracingSettings(given.tracing, { env, name: given.name });
  const named = Object.entries(given.backends).map(([name, one]) => ({ name, within: `backends.${name}`, given: one }));
  const { startTimeoutMs, drainTimeoutMs, stopSignal, restart } = given;
  const life = { startTimeoutMs, drainTimeoutMs, stopSignal, restart };
  const backends = backendSettings([...named, ...apps.backends], {
    isRead: given.output !== "inherit",
    life,
    ...measured,
    judged,
  });
  // They are made where requests are; one that is none is told of here, before anything has begun.
  for (const { within, given: one } of [...named, ...apps.backends]) {
    judged(() => resolveStrategy(one.strategy, { random, option: `${within}.strategy` }));
  }
  const routes = [
    ...given.routes.map((route, number) => ({ option: `routes[${number}]`, route })),
    ...apps.routes,
    ...ofPorts,
  ];
  return Object.freeze({
    ...given,
    socketIo: given.socketIo ?? "warn",
    backends,
    routes: routeSettings(routes, { app: !alone, backends, allowedHosts: given.allowedHosts, random, judged }),
    front: { ...front, listeners, requestId: requestIdsOf(given), tracing },
    tracing,
    gate: given.mode === "handoff" ? gateOptions(written) : undefined,
    autoscale,
    exec,
    output: given.output === "inherit" ? undefined : given.output,
    instances: alone ? 0 : withinAutoscale(size, autoscale),
    port,
    workerPort: given.workerPort ?? (port === 0 ? 0 : undefined),
    strategy: resolveStrategy(given.strategy, { random }),
  });
}

/**
 * All that is wrong with options, as far as it can be told without doing anything: every value that cannot be used by itself, or,
 * where there is none, what does not go together.
 */
export function clusterOptionErrors(input: unknown, surroundings: Surroundings): readonly OptionError[] {
  const errors = [...optionErrors(clusterSchema, input)];
  if (errors.length > 0) return errors;
  const judged = judging((error) => errors.push(error));
  judged(() => parseClusterOptions(input, { ...surroundings, found: (error) => errors.push(error) }));
  return errors;
}

const noApps: AppsReading = { backends: [], routes: [], ports: [] };

/** In hand-off mode the instances hold the connections, each within a limit like the primary's own. */
function connectionsOf(
  front: FrontOptionSettings,
  { given: { mode, limits }, most }: { readonly given: ClusterOptions; readonly most: number },
): FrontOptionSettings {
  if (mode !== "handoff" || limits?.maxConnections !== undefined) return front;
  return { ...front, limits: { ...front.limits, maxConnections: front.limits.maxConnections * most } };
}

function fromEnvironment(env: Surroundings["env"], name: string, min: number, max: number): number | undefined {
  const text = env[name]?.trim();
  if (text === undefined || text === "") return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new OptionError(`env.${name}`, text, `set the environment variable to a whole number from ${min} to ${max}`);
}

/** By what is in a request: with TLS an instance gets the connection before there is any. Cookies are seen to there. */
function refuseAffinityByContent(affinity: AffinitySettings | undefined): void {
  const rule = affinity?.find(({ kind }) => kind === "header" || kind === "query" || kind === "key");
  if (rule === undefined) return;
  const why = `in hand-off mode with TLS an instance is chosen before there is a request, and so by no ${rule.kind}`;
  throw new OptionError("affinity", rule, `${why}: give "ip" or "cookie", or use mode "proxy"`);
}

function refuseRoutes(routes: number): void {
  if (routes === 0) return;
  const why = "in hand-off mode a connection is with an instance, whatever its requests are for";
  throw new OptionError("routes", `${routes} of them`, `${why}: leave it out, or use mode "proxy"`);
}

function refuseApps(apps: readonly ParsedApp[]): void {
  const at = apps.findIndex(({ kind }) => kind !== "worker");
  if (at < 0) return;
  const why = "in hand-off mode a connection is with an instance of the one app, whatever its requests are for";
  throw new OptionError(`apps[${at}]`, apps[at]!.name, `${why}: use mode "proxy", or start it by itself`);
}

/** What only a proxy can do is refused rather than silently not done. */
function refuseProxyOptions({ retry, retryBudget, rateLimit, limits, serverTiming }: ClusterOptions): void {
  const remedy = 'leave it out, or use mode "proxy"';
  if (serverTiming === true) {
    const why = "in hand-off mode a response goes from the instance to its client, and nobody else sees its head";
    throw new OptionError("serverTiming", serverTiming, `${why}: ${remedy}`);
  }
  if (rateLimit) {
    const why = "in hand-off mode nobody but the instance sees the requests of a connection after the first";
    throw new OptionError("rateLimit", rateLimit, `${why}: use rateLimit() of @lb/express there, or mode "proxy"`);
  }
  for (const [name, given] of Object.entries({ retry, retryBudget })) {
    if (given === undefined || given === false) continue;
    const why = "in hand-off mode a request is with the instance itself, and cannot be tried elsewhere";
    throw new OptionError(name, given, `${why}: ${remedy}`);
  }
  for (const name of [
    "maxBodyBytes",
    "maxConnectionsPerAddress",
    "maxRequestsInFlight",
    "minBodyBytesPerSecond",
  ] as const) {
    if (limits?.[name] === undefined) continue;
    const why = "in hand-off mode nobody but the instance sees what follows the first request head";
    throw new OptionError(`limits.${name}`, limits[name], `${why}: ${remedy}`);
  }
}
