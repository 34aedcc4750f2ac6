import * as v from "valibot";
import type { RetrySettings } from "../model/retry-policy.ts";
import { parsePathPattern } from "../routing/path-pattern.ts";
import type { HeaderRule } from "../routing/route-rule.ts";
import type { StrategyName } from "../strategies/index.ts";
import type { Strategy } from "../strategies/strategy.ts";
import { addressRanges } from "./address-ranges.ts";
import { type AffinityOptions, affinitySchema } from "./affinity-options.ts";
import { type BasicAuthOptions, basicAuthSchema } from "./basic-auth-options.ts";
import { type HeaderOptions, headerSchema } from "./header-options.ts";
import { type InFlightOption, type InFlightSettings, inFlightSchema } from "./in-flight-options.ts";
import { type EntriesOf, option, required } from "./option.ts";
import { queueSchema, type WaitQueueSettings } from "./queue-options.ts";
import { type RateLimitOptions, type RateLimitSettings, rateLimitSchema } from "./rate-limit-options.ts";
import { retrySchema } from "./retry-options.ts";
import { type RouteTarget, type RouteTargetOptions, routeTargetSchema } from "./route-target-options.ts";
import { type TimeoutSettings, timeSpan } from "./timeout-options.ts";
import { offOr, options, wholeNumber, withEntries, yesOrNo } from "./validation.ts";

/** Of {@link TimeoutSettings}, those that begin when it is known where a request goes. */
export type RouteTimeouts = Pick<
  TimeoutSettings,
  "bodyIdleMs" | "responseMs" | "responseIdleMs" | "writeIdleMs" | "tunnelMs"
>;

/** Which requests, and what becomes of them. The first route that a request fits is the one that it takes. */
export interface RouteOptions {
  /** Where they go. */
  readonly to: RouteTargetOptions;
  /** What it is called where routes are listed. Default: what it matches, as it is written. */
  readonly name?: string | undefined;
  /** Hosts that they name, without port: `"api.example"`, `"*.example"` for all below that. Default: any. */
  readonly host?: string | readonly string[] | undefined;
  /**
   * Their path, octet for octet as it is sent: `"/a"`; `"/a/*"` for `/a` and all below it; `"/users/:id"` with any segment in that place; `"*.php"`,
   * `"/a/*.php"` for what ends so. Default: any.
   */
  readonly path?: string | readonly string[] | undefined;
  /** Their method. Default: any. */
  readonly method?: string | readonly string[] | undefined;
  /** Header fields: a value, several of which one is meant, or whether it is there at all. All of them have to be so. */
  readonly header?: Readonly<Record<string, string | boolean | readonly string[]>> | undefined;
  /** Taken off the path's beginning, where whole segments are the same; `X-Forwarded-Prefix` says it. Default: nothing. */
  readonly stripPrefix?: string | undefined;
  /**
   * What the request target becomes: `"/v2/{rest}{query}"`. There are `{path}`, `{query}` with its question mark, `{uri}`, which is both, `{rest}` for what
   * the path's `*` stands for, `{host}`, and the segments that the path names. Default: it stays.
   */
  readonly rewrite?: string | undefined;
  /**
   * `Location`, `Content-Location` and `Refresh` of responses name what the client has to ask: without a backend's own host and base path,
   * and with what `stripPrefix` or `rewrite` took off. Default true.
   */
  readonly rewriteLocations?: boolean | undefined;
  /**
   * So do the paths of cookies, but for `/`, and without a domain that is the backend's own. `"mounted"`: also `/`, so that clients send them to this
   * backend alone, and without any domain. Default true.
   */
  readonly rewriteCookies?: boolean | "mounted" | undefined;
  /** How an endpoint is chosen. Default: as the cluster, or the backend, says. */
  readonly strategy?: StrategyName | Strategy | undefined;
  /** Which of them belong together. Default: as the cluster, or the backend, says; `false`: none do. */
  readonly affinity?: AffinityOptions | false | undefined;
  /** In place of the cluster's. */
  readonly retry?: false | Partial<RetrySettings> | undefined;
  /** In place of the cluster's, those that are given. */
  readonly timeouts?: Partial<RouteTimeouts> | undefined;
  /** In place of `limits.maxBodyBytes`; may be more. */
  readonly maxBodyBytes?: number | undefined;
  /** So many at a time; others wait in `queue`. Default: as the backend, or the cluster, says; `false`: any number. */
  readonly maxRequestsInFlight?: false | InFlightOption | undefined;
  /** Where those wait that are more than `maxRequestsInFlight`. */
  readonly queue?: Partial<WaitQueueSettings> | undefined;
  /** In place of the cluster's, and counted by itself; `false`: none. */
  readonly rateLimit?: false | RateLimitOptions | undefined;
  /** Besides the cluster's, and before them where both are about one field. */
  readonly headers?: HeaderOptions | undefined;
  /** Addresses and ranges of clients that may; all others get 403. Default: all. */
  readonly allow?: readonly string[] | undefined;
  /** Addresses and ranges of clients that may not, also if `allow` has them: 403. Default: none. */
  readonly deny?: readonly string[] | undefined;
  /** Who does not give one of these names with its password gets 401. Default: nobody is asked. */
  readonly basicAuth?: BasicAuthOptions | undefined;
}

const hostRemedy = 'give a host without scheme, port and path: "api.example", or "*.example" for all below it';
const host = v.pipe(
  v.string(hostRemedy),
  v.regex(/^(\[[0-9a-fA-F:.]+\]|(\*\.)?[\w-]+(\.[\w-]+)*)$/, hostRemedy),
  v.transform((given) => given.toLowerCase()),
);

const pathRemedy =
  'give a path as it is sent: "/a", "/a/*" for all below it, "/a/:id" with any segment, "*.php" for what ends so';
const path = v.pipe(
  v.string(pathRemedy),
  v.transform((given) => parsePathPattern(given)),
  v.custom<NonNullable<ReturnType<typeof parsePathPattern>>>((given) => given !== undefined, pathRemedy),
);

const methodRemedy = 'give a method: "GET"';
const method = v.pipe(v.string(methodRemedy), v.regex(/^[A-Z][A-Z-]{0,31}$/, `${methodRemedy}, in capitals`));

const headerRemedy =
  'give header fields: { "x-version": "2" }, true where any value does, false where it must not be there';
const fieldValue = v.pipe(v.string(headerRemedy), v.maxLength(8_192, headerRemedy));
const header = v.pipe(
  v.record(
    v.pipe(v.string(headerRemedy), v.regex(/^[\w!#$%&'*+.^`|~-]{1,128}$/, headerRemedy)),
    v.union([fieldValue, v.boolean(), v.pipe(v.array(fieldValue), v.minLength(1, headerRemedy))], headerRemedy),
    headerRemedy,
  ),
  v.transform((given): readonly HeaderRule[] =>
    Object.entries(given).map(([written, value]): HeaderRule => {
      const name = written.toLowerCase();
      if (typeof value === "boolean") return { kind: "present", name, present: value };
      return { kind: "values", name, values: [value].flat() };
    }),
  ),
);

/** One, or several as a list. */
function oneOrMore<Schema extends v.GenericSchema<string, unknown>>(schema: Schema, remedy: string) {
  return v.pipe(
    v.union([schema, v.pipe(v.array(schema, remedy), v.minLength(1, remedy), v.maxLength(256, remedy))], (issue) => {
      // Of the two, what was meant.
      const { issues = [] } = issue;
      return issues.find(({ message }) => message !== issue.message)?.message ?? remedy;
    }),
    v.transform((given) => [given].flat() as readonly v.InferOutput<Schema>[]),
  );
}

const targetRemedy = 'give a path that begins with "/", without white space: "/v2/{rest}{query}"';
const targetText = v.pipe(
  v.string(targetRemedy),
  v.regex(/^\/[\x21-\x22\x24-\x7e]{0,1024}$|^\{uri\}$|^\{path\}/, targetRemedy),
);

const prefixRemedy = 'give whole segments: "/api"';
const prefix = v.pipe(v.string(prefixRemedy), v.regex(/^(\/[\x21-\x22\x24-\x2e\x30-\x3e\x40-\x7e]+)+$/, prefixRemedy));

const asCluster = { otherwise: "as `timeouts`" };

export const routeTimeoutSchema = options({
  bodyIdleMs: option(timeSpan, undefined, "a request body without progress; 408", asCluster),
  responseMs: option(timeSpan, undefined, "from the request's end to the response head; 504", asCluster),
  responseIdleMs: option(timeSpan, undefined, "a response without progress on the endpoint's side; cut", asCluster),
  writeIdleMs: option(timeSpan, undefined, "a client that does not read; closed", asCluster),
  tunnelMs: option(timeSpan, undefined, "a WebSocket silent both ways; closed", asCluster),
} satisfies EntriesOf<RouteTimeouts>);

const any = { otherwise: "any" };
const clusters = { otherwise: "the cluster's" };

export const routeEntries = {
  to: required(
    routeTargetSchema as v.GenericSchema<RouteTargetOptions, RouteTarget>,
    '`"app"`, a backend\'s name, `{ files }`, `{ redirect }`, `{ respond }`, or `[{ backend, weight }, …]`',
  ),
  name: option(
    v.pipe(v.string("give a name"), v.regex(/^[\x20-\x7e]{1,128}$/, "give a name of printable characters")),
    undefined,
    "what it is called where routes are listed",
    {
      otherwise: "what it matches",
    },
  ),
  host: option(oneOrMore(host, hostRemedy), undefined, 'hosts without port: `"api.example"`, `"*.example"`', any),
  path: option(
    oneOrMore(path as unknown as v.GenericSchema<string, NonNullable<ReturnType<typeof parsePathPattern>>>, pathRemedy),
    undefined,
    'octet for octet: `"/a"`, `"/a/*"`, `"/users/:id"`, `"*.php"`',
    any,
  ),
  method: option(oneOrMore(method, methodRemedy), undefined, 'such as `"GET"`', any),
  header: option(header, {}, "`{ name: value }`, several values as a list, `true`: there, `false`: not there", any),
  stripPrefix: option(prefix, undefined, "taken off the path's beginning, and said in `X-Forwarded-Prefix`", {
    otherwise: "nothing",
  }),
  rewrite: option(targetText, undefined, "what the target becomes: `/v2/{rest}{query}`", { otherwise: "it stays" }),
  rewriteLocations: option(
    yesOrNo(),
    true,
    "`Location`, `Content-Location`, `Refresh` name what the client has to ask",
  ),
  rewriteCookies: option(
    v.union([v.boolean(), v.literal("mounted")], 'give true, false or "mounted"'),
    true,
    'paths of cookies move with the prefix, but for `/`; `"mounted"`: that too',
  ),
  strategy: option(
    // Judged where it is made into a strategy.
    v.custom<StrategyName | Strategy>(() => true),
    undefined,
    "how an endpoint is chosen",
    { otherwise: "the cluster's, or the backend's" },
  ),
  affinity: option(
    v.union([v.literal(false), affinitySchema]) as unknown as v.GenericSchema<
      AffinityOptions | false,
      v.InferOutput<typeof affinitySchema> | false
    >,
    undefined,
    "which belong together; `false`: none do",
    { otherwise: "the cluster's, or the backend's" },
  ),
  retry: option(retrySchema, undefined, "as for the cluster", clusters),
  timeouts: option(
    routeTimeoutSchema,
    {},
    "of `bodyIdleMs`, `responseMs`, `responseIdleMs`, `writeIdleMs`, `tunnelMs`",
    clusters,
  ),
  maxBodyBytes: option(
    wholeNumber(0),
    undefined,
    "a longer body is 413; may be more than `limits.maxBodyBytes`",
    clusters,
  ),
  maxRequestsInFlight: option(
    offOr(inFlightSchema) as unknown as v.GenericSchema<InFlightOption | false, InFlightSettings | false>,
    undefined,
    'so many at a time, or `"adaptive"`; others wait in `queue`, then 503; `false`: any number',
    { otherwise: "the backend's, or the cluster's" },
  ),
  queue: option(queueSchema, {}, "where those wait that are more than `maxRequestsInFlight`", {
    otherwise: "see below",
  }),
  rateLimit: option(
    offOr(rateLimitSchema) as unknown as v.GenericSchema<RateLimitOptions | false, RateLimitSettings | false>,
    undefined,
    "as for the cluster, in its place and counted by itself; `false`: none",
    clusters,
  ),
  headers: option(headerSchema, {}, "as for the cluster, besides and before its own", { otherwise: "none" }),
  allow: option(addressRanges, undefined, "addresses and ranges of clients that may; others get 403", {
    otherwise: "all",
  }),
  deny: option(addressRanges, undefined, "addresses and ranges of clients that may not, whatever `allow` says", {
    otherwise: "none",
  }),
  basicAuth: option(basicAuthSchema, undefined, "`{ users: { name: password } }`; others get 401", {
    otherwise: "nobody is asked",
  }),
} satisfies EntriesOf<RouteOptions>;

const route = options(routeEntries);

/** {@link RouteOptions}, checked by themselves. */
export type ParsedRoute = v.InferOutput<typeof route>;

/** More are made by a program, which has better ways. */
const maxRoutes = 10_000;

const routes = v.pipe(
  v.array(route, 'give a list: [{ path: "/api/*", to: "api" }]'),
  v.maxLength(maxRoutes, `give ${maxRoutes} at most`),
);

export const routesSchema = withEntries(
  // What may be left out may be given as undefined, in lists too.
  routes as unknown as v.GenericSchema<readonly RouteOptions[], readonly ParsedRoute[]>,
  route,
);
