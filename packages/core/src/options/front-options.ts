import * as v from "valibot";
import { defaultTimeouts, type FrontSettings, type TimeoutSettings } from "../front/settings.ts";
import { defaultHttpLimits, type HttpLimits } from "../http/limits.ts";
import type { RetrySettings } from "../model/retry-policy.ts";
import { addressRanges } from "./address-ranges.ts";
import { descriptorLimit } from "./descriptor-limit.ts";
import { originsSchema } from "./origins.ts";
import { retrySchema } from "./retry-options.ts";
import { milliseconds, options, wholeNumber, yesOrNo } from "./validation.ts";

/** Sizes and numbers beyond which the front refuses. */
export interface LimitOptions extends Partial<HttpLimits> {
  /**
   * Open client connections; one more is answered 503. Default: nine tenths of the file descriptors that this process
   * may open, less what its workers need; in hand-off mode, where the instances hold the connections, as many for each
   * instance.
   */
  readonly maxConnections?: number;
  /** Open connections of one client address; one more is answered 429. Default unlimited. */
  readonly maxConnectionsPerAddress?: number;
  /** 1xx responses passed on for one request; one more makes it a 502. Default 16. */
  readonly maxInterimResponses?: number;
}

/** The options of the public port, as far as they concern what passes through it. */
export interface FrontOptions {
  readonly limits?: LimitOptions;
  readonly timeouts?: Partial<TimeoutSettings>;
  /** How a request is tried again on another instance; `false`: never. */
  readonly retry?: false | Partial<RetrySettings>;
  /**
   * Proxies in front of this one whose `X-Forwarded-*` fields are believed: addresses, ranges such as `"10.0.0.0/8"`, and
   * `"loopback"`, `"private"` for the ranges of that name. Default none: what clients say of themselves is overwritten.
   */
  readonly trustedProxies?: readonly string[];
  /** Hosts that requests may name, e.g. `"app.example"`, compared exactly but for case and port; others get 421. Default: any. */
  readonly allowedHosts?: readonly string[];
  /**
   * Origins that a WebSocket may be opened from, e.g. `"https://app.example"`; others get 403. A request without an Origin
   * passes: browsers send one always, and who is no browser can send any. Default: any.
   */
  readonly allowedOrigins?: readonly string[];
  /** Adds `X-Backend-Server: host:port` of the instance to each response. Default false. */
  readonly backendHeader?: boolean;
}

/** {@link FrontOptions}, checked and completed; `host` and `port` are the cluster's. */
export type FrontOptionSettings = Omit<FrontSettings, "host" | "port">;

const orInfinite = <Schema extends v.GenericSchema<number, number>>(schema: Schema) =>
  v.union([v.literal(Number.POSITIVE_INFINITY), schema], "give a whole number of at least 1, or Infinity");

const timeout = v.union(
  [v.literal(Number.POSITIVE_INFINITY), milliseconds(1)],
  "give milliseconds of at least 1, or Infinity",
);

const timeouts = options({
  headersMs: v.optional(timeout, defaultTimeouts.headersMs),
  bodyIdleMs: v.optional(timeout, defaultTimeouts.bodyIdleMs),
  keepAliveMs: v.optional(timeout, defaultTimeouts.keepAliveMs),
  responseMs: v.optional(timeout, defaultTimeouts.responseMs),
  responseIdleMs: v.optional(timeout, defaultTimeouts.responseIdleMs),
  writeIdleMs: v.optional(timeout, defaultTimeouts.writeIdleMs),
  tunnelMs: v.optional(timeout, defaultTimeouts.tunnelMs),
  lingerMs: v.optional(milliseconds(1), defaultTimeouts.lingerMs),
});

const limits = options({
  maxHeadBytes: v.optional(wholeNumber(256, 1_048_576), defaultHttpLimits.maxHeadBytes),
  maxTargetBytes: v.optional(wholeNumber(1, 1_048_576), defaultHttpLimits.maxTargetBytes),
  maxHeaders: v.optional(wholeNumber(1, 10_000), defaultHttpLimits.maxHeaders),
  maxBodyBytes: v.optional(orInfinite(wholeNumber(0)), defaultHttpLimits.maxBodyBytes),
  maxChunkExtensionBytes: v.optional(wholeNumber(0, 1_048_576), defaultHttpLimits.maxChunkExtensionBytes),
  maxTrailerBytes: v.optional(wholeNumber(0, 1_048_576), defaultHttpLimits.maxTrailerBytes),
  maxConnections: v.optional(orInfinite(wholeNumber(1)), defaultMaxConnections),
  maxConnectionsPerAddress: v.optional(orInfinite(wholeNumber(1)), Number.POSITIVE_INFINITY),
  maxInterimResponses: v.optional(wholeNumber(0, 1_000), 16),
});

const hosts = v.pipe(
  v.array(
    v.pipe(
      v.string("give a host"),
      v.regex(/^(\[[0-9a-fA-F:.]+\]|[\w.-]+)$/, 'give a host without scheme, port and path, e.g. "app.example"'),
    ),
  ),
  v.transform((list): ReadonlySet<string> => new Set(list.map((host) => host.toLowerCase()))),
);

/** The options of {@link FrontOptions}, to be spread into those of a cluster. */
export const frontEntries = {
  limits: v.optional(limits, {}),
  timeouts: v.optional(timeouts, {}),
  retry: v.optional(retrySchema, {}),
  trustedProxies: v.optional(addressRanges, []),
  allowedHosts: v.optional(hosts),
  allowedOrigins: v.optional(originsSchema),
  backendHeader: v.optional(yesOrNo(), false),
};

/** The front's options as parsed, in the shape that the front works with. */
export function frontSettings({
  limits,
  timeouts,
  retry,
  trustedProxies,
  allowedHosts,
  allowedOrigins,
  backendHeader,
}: ParsedFrontOptions): FrontOptionSettings {
  const { maxConnections, maxConnectionsPerAddress, maxInterimResponses, ...http } = limits;
  return {
    http,
    timeouts,
    maxDescriptor: maxClientDescriptor(descriptorLimit()),
    maxConnections,
    maxConnectionsPerAddress,
    maxInterimResponses,
    retry,
    trustsPeer: trustedProxies,
    backendHeader,
    ...(allowedHosts === undefined ? {} : { allowedHosts }),
    ...(allowedOrigins === undefined ? {} : { allowedOrigins }),
  };
}

type ParsedFrontOptions = v.InferOutput<v.ObjectSchema<typeof frontEntries, undefined>>;

/** Workers, their logs, and whatever the program opens for itself. */
const reservedDescriptors = 128;

function defaultMaxConnections(): number {
  return Math.max(1, Math.floor(descriptorLimit() * 0.9) - reservedDescriptors);
}

/** Links, successors, the control socket: what is to be opened when clients have all the rest. */
function maxClientDescriptor(limit: number): number {
  return limit - Math.min(32, Math.floor(limit * 0.1));
}
