import * as v from "valibot";
import type { FrontSettings } from "../front/settings.ts";
import type { AddressRange } from "../model/address-range.ts";
import { defaultRetry, type RetrySettings } from "../model/retry-policy.ts";
import { addressRange } from "./address-range.ts";
import { addressRanges } from "./address-ranges.ts";
import { descriptorLimit } from "./descriptor-limit.ts";
import { type HeaderOptions, headerSchema } from "./header-options.ts";
import { type Http2Settings, http2Schema } from "./http2-options.ts";
import { type HttpsOptions, httpsSchema } from "./https-options.ts";
import { type LimitOptions, limitSchema } from "./limit-options.ts";
import { type EntriesOf, option } from "./option.ts";
import { originsSchema } from "./origins.ts";
import { type QuarantineOption, quarantineSchema } from "./quarantine-options.ts";
import { type RateLimitOptions, type RateLimitSettings, rateLimitSchema } from "./rate-limit-options.ts";
import { type RequestIdOptions, requestIdSchema } from "./request-id-options.ts";
import { retrySchema } from "./retry-options.ts";
import { type SecurityHeaderOptions, securityHeaderSchema } from "./security-header-options.ts";
import { hosts } from "./tcp-address.ts";
import { type TimeoutSettings, timeoutSchema } from "./timeout-options.ts";
import { offOr, oneOf, yesOrNo } from "./validation.ts";

/** The options of the public port, as far as they concern what passes through it. */
export interface FrontOptions {
  /** Adds `X-Backend-Server: host:port` of the instance to each response. Default false. */
  readonly backendHeader?: boolean;
  /**
   * Proxies in front of this one whose `X-Forwarded-*` fields are believed: addresses, ranges such as `"10.0.0.0/8"`, and
   * `"loopback"`, `"private"` for the ranges of that name. Default none: what clients say of themselves is overwritten.
   */
  readonly trustedProxies?: readonly string[];
  /**
   * `trustedProxies` begin each connection with a header of the PROXY protocol, version 1 or 2: the client is whom it names.
   * One of them that does not is closed; others are not asked for one. Default false.
   */
  readonly proxyProtocol?: boolean;
  /**
   * Addresses and ranges that are kept out, e.g. `["203.0.113.0/24"]`: their connections are closed at once, and their requests through
   * `trustedProxies` get 403. `deny()` and `lb deny` add to them while the cluster runs. Default: none.
   */
  readonly denyList?: readonly string[];
  /** Hosts that requests may name, e.g. `"app.example"`, compared exactly but for case and port; others get 421. Default: any. */
  readonly allowedHosts?: readonly string[];
  /**
   * Origins that a WebSocket may be opened from, e.g. `"https://app.example"`; others get 403. A request without an Origin
   * passes: browsers send one always, and who is no browser can send any. Default: any.
   */
  readonly allowedOrigins?: readonly string[];
  /**
   * A second public port, with TLS: `{ port: 443, certificates: [{ cert: "cert.pem", key: "key.pem" }] }`. The app sees it by
   * `req.socket.encrypted` and `X-Forwarded-Proto`. Default false: there is none.
   */
  readonly https?: false | HttpsOptions;
  /**
   * What the port without TLS does beside it: `"serve"`, the default: the same; `"redirect"`: sends everybody to the one with
   * TLS (308), if they name a host of `allowedHosts`, or of a certificate where that is not given.
   */
  readonly http?: "serve" | "redirect";
  /**
   * Tells browsers what not to do: `Strict-Transport-Security` over TLS, `X-Content-Type-Options`, `X-Frame-Options`,
   * `Referrer-Policy`; `true`, or which of them. Those that the app sets itself are left as they are. Default false.
   */
  readonly securityHeaders?: boolean | SecurityHeaderOptions;
  /**
   * Sets, adds and removes header fields: `{ response: { remove: ["Server", "X-Powered-By"] }, request: { set: { "X-Site": "a" } } }`.
   * What is for one connection, what says where a message ends, and WebSocket handshakes are not to be changed.
   */
  readonly headers?: HeaderOptions;
  /**
   * Each request has an id, which the app gets as `X-Request-Id` and the access log tells: that which a proxy of `trustedProxies` gives it,
   * else one of our own; what other clients say is overwritten. `true`, or `{ header, response }`. Default: on with `accessLog`.
   */
  readonly requestId?: boolean | RequestIdOptions;
  /**
   * Responses say what they waited for and for how long, in the field `Server-Timing`, which browsers show beside their own times. Everybody sees
   * it. In proxy mode. Default false.
   */
  readonly serverTiming?: boolean;
  /** HTTP/2 for clients that offer it on a port with TLS, in proxy mode; `false`: none. Default on. */
  readonly http2?: false | Partial<Http2Settings>;
  /** How long each part of an exchange may take. */
  readonly timeouts?: Partial<TimeoutSettings>;
  /** Sizes and numbers beyond which the front refuses. */
  readonly limits?: Partial<LimitOptions>;
  /**
   * How many requests of one client may pass: `{ points: 10, windowMs: 1_000, burst: 20 }`; others get 429. Routes may have their own in its
   * place. In proxy mode. Default false.
   */
  readonly rateLimit?: false | RateLimitOptions;
  /** How a request is tried again on another instance; `false`: never. */
  readonly retry?: false | Partial<RetrySettings>;
  /**
   * What becomes of a request, in proxy mode, that had two instances die while they had it, and the second one while it was alone there:
   * `"refuse"`: those like it get 503 for a while; `"isolate"`: each has an instance for itself; `false`: nothing. Default `"refuse"`.
   */
  readonly quarantine?: QuarantineOption;
}

/** {@link FrontOptions}, checked and completed; where the front listens is said by other options, too. */
export type FrontOptionSettings = Omit<FrontSettings, "listeners">;

/** The options of {@link FrontOptions}, to be spread into those of a cluster. */
export const frontEntries = {
  backendHeader: option(yesOrNo(), false, "adds `X-Backend-Server: host:port` to each response", {
    flag: { name: "--backend-header", group: "Balancing", help: "add X-Backend-Server to responses" },
  }),
  trustedProxies: option(
    addressRanges,
    [],
    'addresses, ranges, `"loopback"`, `"private"`: whose `X-Forwarded-*` are believed',
    {
      otherwise: "none",
      flag: {
        name: "--trusted-proxy <ranges>",
        group: "What may pass",
        help: "whose X-Forwarded-* is believed: addresses, ranges, loopback, private",
      },
    },
  ),
  proxyProtocol: option(
    yesOrNo(),
    false,
    "connections of `trustedProxies` begin with a PROXY protocol header, v1 or v2",
    {
      flag: {
        name: "--proxy-protocol",
        group: "What may pass",
        help: "trusted proxies begin connections with a PROXY header",
      },
    },
  ),
  denyList: option(
    v.pipe(
      v.array(addressRange),
      v.maxLength(10_000, "give 10,000 at most"),
      v.transform((list): readonly AddressRange[] => Object.freeze(list)),
    ) as unknown as v.GenericSchema<readonly string[], readonly AddressRange[]>,
    [],
    "addresses and ranges that are kept out; `lb deny` adds to them; see [limits.md](limits.md)",
    {
      otherwise: "none",
      flag: {
        name: "--deny <ranges>",
        group: "What may pass",
        help: "addresses and ranges that are kept out; several with commas",
      },
    },
  ),
  allowedHosts: option(hosts, undefined, "hosts that requests may name; others get 421", {
    otherwise: "any",
    flag: {
      name: "--allowed-host <hosts>",
      group: "What may pass",
      help: "hosts that requests may name; several with commas",
    },
  }),
  allowedOrigins: option(
    originsSchema,
    undefined,
    "origins a WebSocket may be opened from; others get 403, none at all passes",
    {
      otherwise: "any",
      flag: { name: "--allowed-origin <origins>", group: "What may pass", help: "origins of WebSockets" },
    },
  ),
  https: option(offOr(httpsSchema), false, "a second public port, with TLS; see below and [tls.md](tls.md)", {
    flag: {
      name: "--https <names>",
      group: "Cluster",
      help: "TLS for these names, whose certificates come by themselves (@lb/acme; agrees to the authority's terms); or localhost",
      fallback: "none",
    },
  }),
  http: option(oneOf(["serve", "redirect"]), "serve", 'what the port without TLS does beside it; `"redirect"`: 308', {
    flag: {
      name: "--http <what>",
      group: "Cluster",
      help: "what the port without TLS does beside it",
      fallback: "redirect with --https, else serve",
    },
  }),
  securityHeaders: option(
    securityHeaderSchema,
    false,
    "`true`, or which: fields that tell browsers what not to do; see below",
    {
      flag: { name: "--security-headers", group: "What may pass", help: "HSTS over TLS, nosniff, frames, referrer" },
    },
  ),
  headers: option(headerSchema, {}, "fields of requests and responses to set, add and remove; see below", {
    otherwise: "none",
  }),
  requestId: option(
    requestIdSchema,
    undefined,
    "each request has an id, which the app gets as `X-Request-Id` and the access log tells; see below",
    { otherwise: "on with `accessLog`" },
  ),
  serverTiming: option(
    yesOrNo(),
    false,
    "responses say in `Server-Timing` how long they waited, and for the app; see [observability.md](observability.md)",
  ),
  http2: option(offOr(http2Schema), {}, "HTTP/2 on a port with TLS; `false`: none; see below", { otherwise: "on" }),
  timeouts: option(timeoutSchema, {}, "how long each part of an exchange may take; see below", {
    otherwise: "see below",
  }),
  limits: option(limitSchema, {}, "what is refused for its size or number; see below", { otherwise: "see below" }),
  rateLimit: option(
    offOr(rateLimitSchema) as unknown as v.GenericSchema<RateLimitOptions | false, RateLimitSettings | false>,
    false,
    "how many requests of one client may pass; see below and [limits.md](limits.md)",
    {
      flag: {
        name: "--rate-limit <rate>",
        group: "What may pass",
        help: "of one client, e.g. 10r/s,burst=20",
        fallback: "no limit",
      },
    },
  ),
  retry: option(retrySchema, {}, "how a request is tried again on another instance; `false`: never; see below", {
    otherwise: "on",
    flag: {
      name: "--retry <attempts>",
      group: "Balancing",
      help: 'how often a request is tried, or "off"',
      fallback: String(defaultRetry.attempts),
    },
  }),
  quarantine: option(quarantineSchema, {}, "requests that end their instances; `false`: nothing is done; see below", {
    otherwise: '`"refuse"`',
  }),
} satisfies EntriesOf<FrontOptions>;

/** The front's among the options as parsed, in the shape that the front works with. */
export function frontSettings(given: ParsedFrontOptions): FrontOptionSettings {
  const own = Object.entries(given).filter(([name]) => Object.hasOwn(frontEntries, name));
  const { trustedProxies, allowedHosts, allowedOrigins, proxyProtocol, headers, ...rest } = Object.fromEntries(
    own,
  ) as unknown as ParsedFrontOptions;
  return {
    ...rest,
    maxDescriptor: maxClientDescriptor(descriptorLimit()),
    trustsPeer: trustedProxies,
    headers: { request: headers.request, response: headers.response },
    ...(allowedHosts === undefined ? {} : { allowedHosts }),
    ...(allowedOrigins === undefined ? {} : { allowedOrigins }),
  };
}

type ParsedFrontOptions = v.InferOutput<v.ObjectSchema<typeof frontEntries, undefined>>;

/** Links, successors, the control socket: what is to be opened when clients have all the rest. */
function maxClientDescriptor(limit: number): number {
  return limit - Math.min(32, Math.floor(limit * 0.1));
}
