import type { IncomingMessage } from "node:http";
import type {
  AffinityOptions,
  HealthOptions,
  LbError,
  RetryBudgetSettings,
  Strategy,
  StrategyName,
  WaitQueueSettings,
} from "@lb/core";
import { OptionError } from "@lb/core";
import {
  callback,
  milliseconds,
  option,
  options,
  originsSchema,
  parseOptions,
  type RetrySettings,
  retrySchema,
  wholeNumber,
  yesOrNo,
} from "@lb/core/kit";
import * as v from "valibot";
import { type CookieOptions, cookiesSchema } from "./cookie-options.ts";
import { type HeaderOptions, headersSchema } from "./header-options.ts";
import { type MirrorOptions, mirrorSchema } from "./mirror-options.ts";
import { type PathOption, pathSchema } from "./path-options.ts";
import type { RequestLog } from "./request-log.ts";
import type { ResponseHook } from "./response-options.ts";
import { type Router, routerSchema, type Targets, targetsSchema } from "./target-options.ts";
import { type WebSocketHooks, webSocketsSchema } from "./web-socket-options.ts";

export type { RetryCause } from "@lb/core/kit";

/** {@link RetrySettings}; what is left out has the default that is named there. */
export type RetryOptions = Partial<RetrySettings>;

/** All in milliseconds. */
export interface TimeoutOptions {
  /** Until a connection to a target stands; then the next one is tried, or 502. Default 5,000. */
  readonly connectMs?: number;
  /** Silence of a target, before its response (then 504) or within it (then it is cut). Default 60,000. */
  readonly responseMs?: number;
  /** A WebSocket silent in both directions; closed. Default 3,600,000. */
  readonly tunnelMs?: number;
}

export interface LimitOptions {
  /** The most bytes of a request's body; beyond them 413, before the body if its length is declared. Default: unlimited. */
  readonly maxBodyBytes?: number;
  /** The most bytes of a response's body that `onResponse` may hold; beyond them 502. Default 10,485,760. */
  readonly maxRewrittenBytes?: number;
}

/**
 * The options of `balance()` and of `lbFastify`. Only `targets` is required, or a `router`. `Request` is what the framework calls
 * one.
 */
export interface BalanceOptions<Request = IncomingMessage> {
  /**
   * Where requests go: a list such as `["http://10.0.0.1:3000", { url: "http://10.0.0.2:3000", weight: 2 }]`, a function
   * that returns one or a promise of one and is asked again every `refreshMs`, or `"workers"`, the instances of the
   * cluster that this process is an instance of. A URL's path is put before those of its requests.
   */
  readonly targets?: Targets;
  /**
   * Where one request goes: a URL, a list that is balanced like `targets`, undefined for `targets`, or `"next"` for what
   * comes after this in the app; or a promise of that. Whatever it makes of what clients say, they choose.
   */
  readonly router?: Router<Request>;
  /** How often a `targets` function is asked again, in milliseconds. Default 5,000. */
  readonly refreshMs?: number;
  /** As everywhere in lb. Default `"least-connections"`. */
  readonly strategy?: StrategyName | Strategy;
  /** When a target is taken out, and when it comes back. Passive checks are on, active ones need a path. */
  readonly health?: HealthOptions;
  /** Which requests belong together, e.g. `"cookie"`. Default none. */
  readonly affinity?: AffinityOptions;
  /** How many requests may wait for a target, default 1,024, and how long, default 5,000 ms; then 503. */
  readonly queue?: Partial<WaitQueueSettings>;
  /** How many retries all requests together may cost. */
  readonly retryBudget?: Partial<RetryBudgetSettings>;
  /** How a failed request is tried elsewhere; `false`: never. */
  readonly retry?: false | RetryOptions;
  readonly timeouts?: TimeoutOptions;
  /**
   * The path and query that targets see. `"stripped"`, the default: without the prefix that this is mounted on;
   * `"original"`: as received; a path such as `"/users/:id"`: the stripped one with this before it, and parameters of the
   * route in that; a function: what it makes of the stripped one, perhaps later.
   */
  readonly path?: PathOption<Request>;
  /**
   * Whether `Location`, `Content-Location` and `Refresh` of targets are rewritten, so that they name what the client has to
   * ask: without the target's host and base path, and with the mount's prefix. Default true.
   */
  readonly rewriteLocations?: boolean;
  /** Where cookies of targets go. Default: where those say. */
  readonly cookies?: CookieOptions<Request>;
  /** What becomes of the header fields of requests, and of responses. */
  readonly headers?: HeaderOptions<Request>;
  /**
   * Has a say in what clients get of a response: nothing else is sent of it before. Undefined: it goes on as it is; `"next"`: what
   * comes after this in the app answers; or what of it is something else. Not asked for WebSockets.
   */
  readonly onResponse?: ResponseHook<Request>;
  readonly limits?: LimitOptions;
  /** The target's own host in `Host`, which virtual hosts and TLS need. Default false: the client's `Host`. */
  readonly changeOrigin?: boolean;
  /** Whether the certificates of `https:` targets are checked. Default true. */
  readonly verifyCertificates?: boolean;
  /** Relay WebSockets, and who is told of them. Default true. */
  readonly webSockets?: boolean | WebSocketHooks<Request>;
  /**
   * Origins that a WebSocket may be opened from, e.g. `"https://app.example"`; others get 403. A request without an Origin
   * passes: browsers send one always, and who is no browser can send any. Default: any.
   */
  readonly allowedOrigins?: readonly string[];
  /** Adds `X-Backend-Server: host:port` of the target to each response. Default false. */
  readonly backendHeader?: boolean;
  /** Errors go to the framework's error handling instead of being answered here. Default false. */
  readonly passErrors?: boolean;
  /** Told of each request that failed, and of a `targets` function that did. Nothing else is done with the latter. */
  readonly onError?: (error: LbError, request?: Request) => void;
  /** Where copies of requests go, whose answers are dropped. WebSockets are not copied. Default: nowhere. */
  readonly mirror?: MirrorOptions;
  /** Called once for each request, when it is over. */
  readonly log?: RequestLog<Request>;
}

/** The longest that Node's timers can wait for; undici wants whole numbers. */
const maxTimerMs = 2 ** 31 - 1;

const limits = options({
  maxBodyBytes: option(
    v.optional(wholeNumber(0)),
    undefined,
    "of a request's body; 413, before the body if its length is declared",
    { otherwise: "unlimited" },
  ),
  maxRewrittenBytes: option(
    wholeNumber(0),
    10_485_760,
    "of a response's body that `onResponse` holds, without its content codings; 502",
  ),
});

const timeouts = options({
  connectMs: option(wholeNumber(1, maxTimerMs), 5_000, "until a connection to a target stands; then the next, or 502"),
  responseMs: option(
    wholeNumber(1, maxTimerMs),
    60_000,
    "silence before a response (504) and within one (cut), to about a second",
  ),
  tunnelMs: option(wholeNumber(1, maxTimerMs), 3_600_000, "a WebSocket silent both ways; closed"),
});

/** What is checked by `createBalancer`, which knows what it may be. */
const checkedByCore = <Value>(about: string) =>
  option(
    v.custom<Value>(() => true),
    undefined,
    about,
    { otherwise: "as in core" },
  );

/** @public The table in docs/express.md is made of it. */
export const balanceSchema = options({
  targets: option(
    targetsSchema,
    undefined,
    'a list of URLs (`http:`, `https:`, `unix:/path`), each alone or as `{ url, weight }`; a function that returns one or a promise of one; or `"workers"`: the cluster that this process is an instance of. A URL\'s path is put before those of its requests',
    { otherwise: "required, or a `router`" },
  ),
  router: option(
    routerSchema,
    undefined,
    'where one request goes: a function that returns a URL, a list of them, `undefined` for `targets`, or `"next"` for what comes after this in the app; or a promise of that',
    { otherwise: "none" },
  ),
  refreshMs: option(
    milliseconds(10),
    5_000,
    "how often a `targets` function is asked again; a list that cannot be had leaves the one before in place",
  ),
  strategy: checkedByCore<StrategyName | Strategy>("how a target is chosen: see [options.md](options.md)"),
  health: checkedByCore<HealthOptions>(
    "when a target is taken out, and when it comes back: see [options.md](options.md#health); active checks need a path",
  ),
  affinity: checkedByCore<AffinityOptions>("which requests belong together: see [options.md](options.md#affinity)"),
  queue: checkedByCore<Partial<WaitQueueSettings>>(
    "where requests wait that no target can take: see [options.md](options.md#queue)",
  ),
  retryBudget: checkedByCore<Partial<RetryBudgetSettings>>(
    "how many retries all requests together may cost: see [options.md](options.md#retrybudget)",
  ),
  retry: option(
    retrySchema,
    {},
    "how a failed request is tried elsewhere; `false`: never: see [options.md](options.md#retry-or-false)",
    { otherwise: "as in core" },
  ),
  timeouts: option(timeouts, {}, "how long each part may take; see below", { otherwise: "see below" }),
  path: option(
    pathSchema,
    "stripped",
    'what targets see: the path without the mount\'s prefix, `"original"`, a path such as `"/users/:id"` that is put before the stripped one, with the route\'s parameters, or a function of the stripped one',
  ),
  rewriteLocations: option(
    yesOrNo(),
    true,
    "`Location`, `Content-Location` and `Refresh` name what the client has to ask: see below",
  ),
  cookies: option(cookiesSchema, {}, "where targets' cookies go: see below", { otherwise: "as targets say" }),
  headers: option(
    headersSchema,
    {},
    "`{ request, response }`: by name a text, `undefined` to leave it out, or a function of what it was; or one function of all fields. Functions may be async",
    { otherwise: "none" },
  ),
  onResponse: option(
    callback<ResponseHook>('give a function that returns undefined, "next" or { status, headers, body }'),
    undefined,
    "has a say in what clients get of a response: see [below](#onresponse)",
    { otherwise: "none" },
  ),
  limits: option(limits, {}, "the most bytes: see below", { otherwise: "see below" }),
  changeOrigin: option(yesOrNo(), false, "the target's own host in `Host`"),
  verifyCertificates: option(yesOrNo(), true, "of `https:` targets, against the target's own name"),
  webSockets: option(
    webSocketsSchema,
    true,
    "relay them, and tell of them: `{ onOpen, onMessage, onClose }`, see [below](#websockets)",
  ),
  allowedOrigins: option(
    originsSchema,
    undefined,
    "origins a WebSocket may be opened from; others get 403, none at all passes",
    { otherwise: "any" },
  ),
  backendHeader: option(yesOrNo(), false, "adds `X-Backend-Server: host:port`"),
  passErrors: option(yesOrNo(), false, "leaves errors to the framework's error handling"),
  onError: option(
    callback<NonNullable<BalanceOptions<unknown>["onError"]>>("give a function that takes an error"),
    undefined,
    "told of each request that failed and why, with the `GatewayError`",
    { otherwise: "none" },
  ),
  mirror: option(
    v.optional(mirrorSchema),
    undefined,
    "where copies of requests go, whose answers are dropped: see below",
    {
      otherwise: "nowhere",
    },
  ),
  log: option(
    callback<RequestLog>("give a function that takes an entry"),
    undefined,
    "called once for each request, when it is over: see [below](#log)",
    { otherwise: "none" },
  ),
});

export type GatewaySettings = Omit<v.InferOutput<typeof balanceSchema>, "targets"> & { readonly targets: Targets };

/** @throws OptionError for the first option that cannot be used */
export function parseBalanceOptions(input: BalanceOptions<never>): GatewaySettings {
  const { targets, ...settings } = parseOptions(balanceSchema, input);
  if (targets === undefined && settings.router === undefined) {
    throw new OptionError("targets", undefined, "it is required, unless a router says where each request goes");
  }
  return Object.freeze({ ...settings, targets: targets ?? [] });
}
