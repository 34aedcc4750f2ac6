import * as v from "valibot";
import type { AffinityOptions, AffinitySettings } from "../affinity/settings.ts";
import type { HealthOptions, HealthSettings } from "../health/settings.ts";
import { type EventReach, type StopSignal, stopSignals } from "../ipc/worker-facts.ts";
import { OptionError } from "../model/errors.ts";
import type { OutputLine } from "../model/output-line.ts";
import type { Random } from "../model/random.ts";
import { resolveStrategy, type StrategyName } from "../strategies/index.ts";
import type { Strategy } from "../strategies/strategy.ts";
import type { AutoscaleSettings, RestartOptions, StartParallelism } from "../supervisor/settings.ts";
import { defaultWorkerHost, type HeartbeatSettings, heartbeatDefaults } from "../supervisor/settings.ts";
import { affinitySchema } from "./affinity-options.ts";
import { type AutoscaleOptions, autoscaleSchema, type ParsedAutoscale } from "./autoscale-options.ts";
import { type FrontOptionSettings, type FrontOptions, frontEntries, frontSettings } from "./front-options.ts";
import {
  type HealthEndpointOptions,
  type HealthEndpointSettings,
  healthEndpointSchema,
} from "./health-endpoint-options.ts";
import { instanceHealthSchema } from "./health-options.ts";
import { type LogOption, type LogSettings, logSchema } from "./log-options.ts";
import { milliseconds, offOr, oneOf, options, parseOptions, wholeNumber, yesOrNo } from "./validation.ts";

/** The options of `cluster()`. All may be left out. */
export interface ClusterOptions extends FrontOptions {
  /** What the cluster is called in its status. Default `"app"`. */
  readonly name?: string;
  /**
   * How many instances run; `"auto"` is one for each processor that this process may use. Default: the environment
   * variable `WEB_CONCURRENCY`, else `"auto"`.
   */
  readonly instances?: number | "auto";
  /**
   * Changes the number of instances with what they have to do; they start with `instances`, or with `min` if that is not
   * given. Default: their number stays.
   */
  readonly autoscale?: AutoscaleOptions;
  /** The public port; 0 lets the system choose. Default: the environment variable `PORT`, else 3000. */
  readonly port?: number;
  /**
   * The address that the public port is opened on. Default `"127.0.0.1"`: nothing is reachable from other machines
   * unless you ask for it, e.g. with `"0.0.0.0"` or `"::"`. The instances' own ports are on loopback in any case.
   */
  readonly host?: string;
  /**
   * First of the instances' consecutive ports; 0: wherever a run of them is free. Default `port + 1`, and 0 when `port`
   * is 0.
   */
  readonly workerPort?: number;
  /**
   * `"proxy"`, the default: each request is read here, balanced by itself, and may be tried again elsewhere. `"handoff"`:
   * each connection is given to an instance after its first request head was read here, and none of its bytes crosses the
   * primary again: more than twice as fast, with what docs/modes.md says of its limits.
   */
  readonly mode?: "proxy" | "handoff";
  /**
   * In hand-off mode, how many idle connections a second may move from instances that have more than the others, such as
   * after a scale-up; `false`: none. Default 50. With an affinity none move.
   */
  readonly rebalance?: { readonly perSecond?: number } | false;
  /** How an instance is chosen for each request: a name, or a strategy with options. Default `"least-connections"`. */
  readonly strategy?: StrategyName | Strategy;
  /**
   * Which requests belong together at one instance: by a cookie of ours, by address, header, query parameter or a key of
   * your own, by Socket.IO session, or a list of these in order of precedence. Default: none do.
   */
  readonly affinity?: AffinityOptions;
  /**
   * What is done for Socket.IO (and Engine.IO) servers that the app loads from `node_modules`. Without an `affinity`,
   * their session ids say where each session lives, and requests go there. With `true` and `@lb/socket` installed, their
   * events reach the clients of all instances, as after `setupWorker(io)`. `"sessions"`: the first alone. `false`:
   * nothing. Default: the first, with a warning where events reach one instance only; under `lb start` `true`.
   */
  readonly socketIo?: boolean | "sessions";
  /** When an instance is taken out of service, and when it comes back. */
  readonly health?: HealthOptions;
  /**
   * Answers health checks on the public port: `true` for `/health`, `/health/live`, `/health/ready` and
   * `/health/detailed`, or {@link HealthEndpointOptions}. Default false: all requests are the app's.
   */
  readonly healthEndpoints?: boolean | HealthEndpointOptions;
  /**
   * Where the instances' own ports listen. Default `"127.0.0.1"`, whatever the app asks for: who reaches an instance
   * directly passes `allowedHosts`, the limits and the cleaning of forwarding headers.
   */
  readonly workerHost?: string;
  /**
   * What `PORT` says in the instances: `"own"`, the default: each instance's own port; `"public"`, the default of
   * `lb start`: the public one, for programs that make URLs from it. `INSTANCE_PORT` is the own one in any case.
   */
  readonly portEnv?: "own" | "public";
  /** An instance that is not ready in this time, in milliseconds, is killed and replaced. Default 30,000. */
  readonly startTimeoutMs?: number;
  /**
   * How many instances start at the same time in the first start; `"first"`: the first one alone, then all others, for programs that
   * prepare a directory or a database at their first start. Default `"all"`; under `lb start` `"first"`.
   */
  readonly startParallelism?: StartParallelism;
  /**
   * An instance is ready only when its app has called `process.send("ready")` as well, which is PM2's `wait_ready`.
   * Default false: it is ready when it listens.
   */
  readonly waitReady?: boolean;
  /**
   * What becomes of an instance that says nothing, because its event loop is blocked or its process stopped: no new
   * traffic after `outAfterMs` (default 3,000), killed and replaced after `killAfterMs` (default 30,000). It is to speak
   * every `intervalMs` (default 1,000). `false`: nothing; so it is under a debugger (`--inspect`) in any case.
   */
  readonly heartbeat?: Partial<HeartbeatSettings> | false;
  /**
   * An instance whose resident memory exceeds this many megabytes (of 1,048,576 bytes) is replaced: its successor starts
   * first, then it drains. Default: no limit.
   */
  readonly maxMemoryMb?: number;
  /**
   * How long a drain may take, in milliseconds, until open connections are cut: in `close()`, on SIGTERM and SIGINT, and
   * of a worker whose primary is gone. Default 10,000.
   */
  readonly drainTimeoutMs?: number;
  /**
   * From SIGTERM, or `close()`, to the beginning of the drain, in milliseconds: requests are still taken, while
   * `/health/ready` already says 503. A balancer in front of this machine needs so long to look elsewhere. Default 0.
   */
  readonly shutdownDelayMs?: number;
  /**
   * Which handler of the app's is called when its instance has drained and is to end: that of SIGTERM, the default, of
   * another signal such as `"SIGINT"`, which is PM2's, or with `"message"` that of `process.on("message")`, which gets
   * `"shutdown"`. An app without one ends by SIGTERM.
   */
  readonly stopSignal?: StopSignal;
  /** What happens when an instance dies; see {@link RestartOptions}. */
  readonly restart?: Partial<RestartOptions>;
  /**
   * Added to the environment of the instances. `PORT`, `HOST`, `INSTANCE_ID`, `INSTANCE_PORT` and `NODE_APP_INSTANCE` are
   * not for you to set.
   */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * `"inherit"`, the default: the instances write where the primary does. A function gets each line that they write, from
   * the first one on; the last of them are then kept for `lb logs`. Under `lb start` they are printed with the instance's
   * number in front.
   */
  readonly output?: "inherit" | ((line: OutputLine) => void);
  /**
   * What becomes of the cluster (crashes and what follows them, reloads, refused connections, its own end) is written to
   * standard error by the primary, one line an event: `"text"`, the default, for people, `"json"` for machines, or both
   * with `{ format, timestamps }`. A function gets the entries instead; `false`: nothing is written.
   */
  readonly log?: LogOption;
  /** Opens a private Unix socket by which the `lb` command finds this cluster. Default true. */
  readonly control?: boolean;
  /** SIGTERM and SIGINT drain and end the primary; a second one is immediate. Default true. */
  readonly signals?: boolean;
}

/** {@link ClusterOptions}, checked and completed. */
export interface ClusterSettings {
  readonly name: string;
  readonly instances: number;
  readonly autoscale: AutoscaleSettings | undefined;
  readonly port: number;
  readonly host: string;
  /** Undefined: derived from the public port, once that is bound. */
  readonly workerPort: number | undefined;
  readonly workerHost: string;
  readonly portEnv: "own" | "public";
  readonly mode: "proxy" | "handoff";
  readonly rebalance: { readonly perSecond: number } | false;
  readonly strategy: Strategy;
  readonly affinity: AffinitySettings | undefined;
  readonly socketIo: EventReach | false;
  readonly health: HealthSettings;
  readonly healthEndpoints: HealthEndpointSettings | false;
  readonly startTimeoutMs: number;
  readonly startParallelism: StartParallelism;
  readonly waitReady: boolean;
  readonly heartbeat: HeartbeatSettings | false;
  readonly maxMemoryMb: number | undefined;
  readonly drainTimeoutMs: number;
  readonly shutdownDelayMs: number;
  readonly stopSignal: StopSignal;
  readonly restart: RestartOptions;
  readonly env: Readonly<Record<string, string>>;
  readonly output: ((line: OutputLine) => void) | undefined;
  readonly log: LogSettings | undefined;
  readonly control: boolean;
  readonly signals: boolean;
  readonly front: FrontOptionSettings;
}

export const restartDefaults: RestartOptions = Object.freeze({
  delayMs: 100,
  maxDelayMs: 10_000,
  stableAfterMs: 10_000,
  maxCrashes: 5,
  crashLoopDelayMs: 30_000,
});

const maxInstances = 1_024;
const ownVariables = ["PORT", "HOST", "INSTANCE_ID", "INSTANCE_PORT", "NODE_APP_INSTANCE", "LB_WORKER"];

const restart = options({
  delayMs: v.optional(milliseconds(0), restartDefaults.delayMs),
  maxDelayMs: v.optional(milliseconds(0), restartDefaults.maxDelayMs),
  stableAfterMs: v.optional(milliseconds(0), restartDefaults.stableAfterMs),
  maxCrashes: v.optional(wholeNumber(0), restartDefaults.maxCrashes),
  crashLoopDelayMs: v.optional(milliseconds(1), restartDefaults.crashLoopDelayMs),
});

const heartbeat = v.pipe(
  options({
    intervalMs: v.optional(milliseconds(50), heartbeatDefaults.intervalMs),
    outAfterMs: v.optional(milliseconds(100), heartbeatDefaults.outAfterMs),
    killAfterMs: v.optional(milliseconds(200), heartbeatDefaults.killAfterMs),
  }),
  v.check(
    ({ intervalMs, outAfterMs, killAfterMs }) => 2 * intervalMs <= outAfterMs && outAfterMs <= killAfterMs,
    "give an outAfterMs of at least twice intervalMs, and a killAfterMs of no less than that",
  ),
);

const env = v.pipe(
  v.record(
    v.pipe(
      v.string(),
      v.check((name) => !ownVariables.includes(name), "each instance gets its own; leave it out"),
    ),
    v.string("give a string, as all environment variables are"),
    "give an object of variables and their values",
  ),
  v.readonly(),
);

const hostName = v.pipe(
  v.string("give an address or a host name"),
  v.regex(/^[\w.:%-]+$/, 'give an address or a host name alone, e.g. "0.0.0.0"'),
);

const schema = options({
  name: v.optional(v.pipe(v.string("give a name"), v.nonEmpty("give a name")), "app"),
  instances: v.optional(
    v.union(
      [v.literal("auto"), wholeNumber(1, maxInstances)],
      `give "auto" or a whole number from 1 to ${maxInstances}`,
    ),
  ),
  autoscale: v.optional(autoscaleSchema),
  port: v.optional(wholeNumber(0, 65_535)),
  host: v.optional(hostName, "127.0.0.1"),
  workerPort: v.optional(wholeNumber(0, 65_535)),
  workerHost: v.optional(hostName, defaultWorkerHost),
  portEnv: v.optional(oneOf(["own", "public"]), "own"),
  mode: v.optional(oneOf(["proxy", "handoff"]), "proxy"),
  rebalance: v.optional(offOr(options({ perSecond: v.optional(wholeNumber(1, 10_000), 50) })), {}),
  strategy: v.optional(
    v.custom<StrategyName | Strategy>(() => true),
    "least-connections",
  ),
  affinity: v.optional(affinitySchema),
  socketIo: v.optional(
    v.pipe(
      v.union([yesOrNo(), v.literal("sessions")], 'give true, false or "sessions"'),
      v.transform((given): EventReach | false => (given === "sessions" ? "leave" : given && "join")),
    ),
  ),
  health: v.optional(instanceHealthSchema, {}),
  healthEndpoints: v.optional(healthEndpointSchema, false),
  startTimeoutMs: v.optional(milliseconds(1), 30_000),
  startParallelism: v.optional(
    v.union([v.picklist(["all", "first"]), wholeNumber(1)], 'give "all", "first", or how many at a time'),
    "all",
  ),
  waitReady: v.optional(yesOrNo(), false),
  heartbeat: v.optional(offOr(heartbeat), {}),
  maxMemoryMb: v.optional(wholeNumber(16, 1_048_576)),
  drainTimeoutMs: v.optional(milliseconds(0), 10_000),
  shutdownDelayMs: v.optional(milliseconds(0), 0),
  stopSignal: v.optional(oneOf(stopSignals), "SIGTERM"),
  restart: v.optional(restart, {}),
  env: v.optional(env, {}),
  output: v.optional(
    v.union(
      [v.literal("inherit"), v.custom<(line: OutputLine) => void>((value) => typeof value === "function")],
      'give "inherit" or a function that takes the lines',
    ),
    "inherit",
  ),
  log: v.optional(logSchema, "text"),
  control: v.optional(yesOrNo(), true),
  signals: v.optional(yesOrNo(), true),
  ...frontEntries,
});

/** Where defaults come from that are not constants. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Processors that this process may use. */
  readonly parallelism: number;
  readonly random: Random;
}

/** @throws OptionError for the first option, or environment variable, that cannot be used */
export function parseClusterOptions(input: unknown, { env, parallelism, random }: Surroundings): ClusterSettings {
  const given = parseOptions(schema, input, "");
  if (given.mode === "handoff") refuseProxyOptions(input as ClusterOptions);
  const autoscale = given.autoscale && autoscaleSettings(given.autoscale, parallelism, given.heartbeat !== false);
  const { instances = fromEnvironment(env, "WEB_CONCURRENCY", 1, maxInstances) ?? autoscale?.min ?? "auto" } = given;
  const size = instances === "auto" ? parallelism : instances;
  const { port = fromEnvironment(env, "PORT", 0, 65_535) ?? 3_000 } = given;
  const { limits: _limits, timeouts: _timeouts, retry: _retry, trustedProxies: _proxies, ...rest } = given;
  return Object.freeze({
    ...rest,
    affinity: given.affinity,
    socketIo: given.socketIo ?? "warn",
    maxMemoryMb: given.maxMemoryMb,
    front: connectionsOf(frontSettings(given), { given: input as ClusterOptions, most: autoscale?.max ?? size }),
    autoscale,
    log: given.log,
    output: given.output === "inherit" ? undefined : given.output,
    instances: autoscale === undefined ? size : Math.min(autoscale.max, Math.max(autoscale.min, size)),
    port,
    workerPort: given.workerPort ?? (port === 0 ? 0 : undefined),
    strategy: resolveStrategy(given.strategy, { random }),
  });
}

/** In hand-off mode the instances hold the connections, each within a limit like the primary's own. */
function connectionsOf(
  front: FrontOptionSettings,
  { given: { mode, limits }, most }: { readonly given: ClusterOptions; readonly most: number },
): FrontOptionSettings {
  if (mode !== "handoff" || limits?.maxConnections !== undefined) return front;
  return { ...front, maxConnections: front.maxConnections * most };
}

function autoscaleSettings(given: ParsedAutoscale, parallelism: number, heartbeat: boolean): AutoscaleSettings {
  const { metric } = given.target;
  if (!heartbeat && metric !== "inFlight") {
    const why = `without a heartbeat the instances do not say their ${metric}`;
    throw new OptionError("heartbeat", false, `${why}: leave it on, or give autoscale the target inFlight`);
  }
  return { ...given, max: given.max ?? Math.max(parallelism, given.min) };
}

function fromEnvironment(env: Surroundings["env"], name: string, min: number, max: number): number | undefined {
  const text = env[name]?.trim();
  if (text === undefined || text === "") return undefined;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new OptionError(`env.${name}`, text, `set the environment variable to a whole number from ${min} to ${max}`);
}

/** What only a proxy can do is refused rather than silently not done. */
function refuseProxyOptions({ retry, limits }: ClusterOptions): void {
  const remedy = 'leave it out, or use mode "proxy"';
  if (retry !== undefined && retry !== false) {
    const why = "in hand-off mode a request is with the instance itself, and cannot be tried elsewhere";
    throw new OptionError("retry", retry, `${why}: ${remedy}`);
  }
  for (const name of ["maxBodyBytes", "maxConnectionsPerAddress"] as const) {
    if (limits?.[name] === undefined) continue;
    const why = "in hand-off mode nobody but the instance sees what follows the first request head";
    throw new OptionError(`limits.${name}`, limits[name], `${why}: ${remedy}`);
  }
}
