import type { IncomingMessage } from "node:http";
import type {
  AffinityOptions,
  HealthOptions,
  LbError,
  RetryBudgetSettings,
  Strategy,
  StrategyName,
  UrlEndpointInput,
  WaitQueueSettings,
} from "@lb/core";
import {
  callback,
  milliseconds,
  option,
  options,
  originsSchema,
  parseOptions,
  type RetrySettings,
  required,
  retrySchema,
  wholeNumber,
  yesOrNo,
} from "@lb/core/kit";
import * as v from "valibot";
import { fieldName, isFieldValue } from "../header-fields.ts";

/** What one header field becomes: a text, undefined to leave it out, or a function of what it was. */
export type HeaderRule =
  | string
  | undefined
  | ((value: string | undefined, request: IncomingMessage) => string | undefined);

/** Rules by header name. They come last: after what is removed and added in any case. */
export type HeaderRules = Readonly<Record<string, HeaderRule>>;

/** Where requests go; see {@link BalanceOptions.targets}. */
export type Targets =
  | readonly UrlEndpointInput[]
  | (() => readonly UrlEndpointInput[] | Promise<readonly UrlEndpointInput[]>)
  | "workers";

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

/** The options of `balance()` and of `lbFastify`. Only `targets` is required. */
export interface BalanceOptions {
  /**
   * Where requests go: a list such as `["http://10.0.0.1:3000", { url: "http://10.0.0.2:3000", weight: 2 }]`, a function
   * that returns one or a promise of one and is asked again every `refreshMs`, or `"workers"`, the instances of the
   * cluster that this process is an instance of.
   */
  readonly targets: Targets;
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
   * `"original"`: as received; a function: what it makes of the stripped one.
   */
  readonly path?: "stripped" | "original" | ((target: string, request: IncomingMessage) => string);
  /** Rules for the header fields of requests, and of responses. */
  readonly headers?: { readonly request?: HeaderRules; readonly response?: HeaderRules };
  /** The target's own host in `Host`, which virtual hosts and TLS need. Default false: the client's `Host`. */
  readonly changeOrigin?: boolean;
  /** Whether the certificates of `https:` targets are checked. Default true. */
  readonly verifyCertificates?: boolean;
  /** Relay WebSockets. Default true. */
  readonly webSockets?: boolean;
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
  readonly onError?: (error: LbError, request?: IncomingMessage) => void;
}

/** The longest that Node's timers can wait for; undici wants whole numbers. */
const maxTimerMs = 2 ** 31 - 1;

const timeouts = options({
  connectMs: option(wholeNumber(1, maxTimerMs), 5_000, "until a connection to a target stands; then the next, or 502"),
  responseMs: option(
    wholeNumber(1, maxTimerMs),
    60_000,
    "silence before a response (504) and within one (cut), to about a second",
  ),
  tunnelMs: option(wholeNumber(1, maxTimerMs), 3_600_000, "a WebSocket silent both ways; closed"),
});

const rulesRemedy = 'give an object of header names, each with a text, undefined or a function, e.g. { "X-Via": "lb" }';
const rules = v.pipe(
  v.record(
    fieldName(),
    v.custom<HeaderRule>(
      (rule) => rule === undefined || typeof rule === "function" || isFieldValue(rule),
      "give a text without line breaks, undefined or a function",
    ),
    rulesRemedy,
  ),
  v.transform((given) =>
    Object.freeze(Object.entries(given).map(([name, rule]) => Object.freeze([name.toLowerCase(), rule] as const))),
  ),
);

const targets = v.custom<Targets>(
  (value) => value === "workers" || typeof value === "function" || Array.isArray(value),
  'give a list of URLs, a function that returns one, or "workers"',
);

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
  targets: required(
    targets,
    'a list of URLs (`http:`, `https:`, `unix:/path`), each alone or as `{ url, weight }`; a function that returns one or a promise of one; or `"workers"`: the cluster that this process is an instance of',
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
    v.union(
      [
        v.literal("stripped"),
        v.literal("original"),
        callback<(target: string, request: IncomingMessage) => string>("give a function"),
      ],
      'give "stripped", "original" or a function that returns a path',
    ),
    "stripped",
    'what targets see: the path without the mount\'s prefix, `"original"`, or a function of the stripped one',
  ),
  headers: option(
    options({
      request: option(rules, {}, "of what targets get", { otherwise: "none" }),
      response: option(rules, {}, "of what clients get", { otherwise: "none" }),
    }),
    {},
    "`{ request, response }`: by name a text, `undefined` to leave it out, or a function of what it was",
    { otherwise: "none" },
  ),
  changeOrigin: option(yesOrNo(), false, "the target's own host in `Host`"),
  verifyCertificates: option(yesOrNo(), true, "of `https:` targets, against the target's own name"),
  webSockets: option(yesOrNo(), true, "relay them"),
  allowedOrigins: option(
    originsSchema,
    undefined,
    "origins a WebSocket may be opened from; others get 403, none at all passes",
    { otherwise: "any" },
  ),
  backendHeader: option(yesOrNo(), false, "adds `X-Backend-Server: host:port`"),
  passErrors: option(yesOrNo(), false, "leaves errors to the framework's error handling"),
  onError: option(
    callback<NonNullable<BalanceOptions["onError"]>>("give a function that takes an error"),
    undefined,
    "told of each request that failed and why, with the `GatewayError`",
    { otherwise: "none" },
  ),
});

/** Header rules as parsed: lower-case name and rule, frozen. */
export type HeaderRuleList = v.InferOutput<typeof rules>;
export type GatewaySettings = v.InferOutput<typeof balanceSchema>;

/** @throws OptionError for the first option that cannot be used */
export function parseBalanceOptions(input: BalanceOptions): GatewaySettings {
  return parseOptions(balanceSchema, input);
}
