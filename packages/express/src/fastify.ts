import { OptionError, type UrlBalancer } from "@lb/core";
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import fp from "fastify-plugin";
import { FastifyCall, MountPrefix } from "./bindings/fastify-call.ts";
import type { Guard } from "./call.ts";
import { Gateway, type GatewayStatus } from "./gateway/gateway.ts";
import type { BalanceOptions } from "./gateway/options.ts";
import { serveUpgrades } from "./gateway/upgrades.ts";
import { type ConnectionLimitOptions, connectionLimitGuard } from "./guards/connection-limit.ts";
import { type DrainOptions, drainGuard } from "./guards/drain.ts";
import { type HealthRouteOptions, healthOf, type Readiness } from "./guards/health.ts";
import { type HttpsRedirectOptions, httpsRedirectGuard } from "./guards/https-redirect.ts";
import { type IdentityOptions, identityGuard } from "./guards/identity.ts";
import { type OverloadOptions, overloadGuard } from "./guards/overload.ts";
import { type RateLimiter, rateLimitOf } from "./guards/rate-limit.ts";
import type { RateLimitOptions } from "./guards/rate-limit-options.ts";

export { GatewayError, type GatewayErrorCode } from "./errors.ts";
export type { CookieOptions } from "./gateway/cookie-options.ts";
export type { GatewayStatus } from "./gateway/gateway.ts";
export type { HeaderFields, HeaderHook, HeaderOptions, HeaderRule, HeaderRules } from "./gateway/header-options.ts";
export type { MirrorOptions } from "./gateway/mirror-options.ts";
export type { BalanceOptions, LimitOptions, RetryCause, RetryOptions, TimeoutOptions } from "./gateway/options.ts";
export type { PathOption } from "./gateway/path-options.ts";
export type { RequestLog, RequestLogEntry, RequestOutcome } from "./gateway/request-log.ts";
export type {
  ResponseChange,
  ResponseHook,
  ResponseVerdict,
  TargetResponse,
} from "./gateway/response-options.ts";
export type { RoutedTo, Router, Targets } from "./gateway/target-options.ts";
export type { WebSocketEnd, WebSocketHooks, WebSocketMessage } from "./gateway/web-socket-options.ts";
export type { ConnectionLimitOptions } from "./guards/connection-limit.ts";
export type { DrainOptions } from "./guards/drain.ts";
export type { HealthRouteOptions, Readiness } from "./guards/health.ts";
export type { Check, CheckResult } from "./guards/health-checks.ts";
export type { HttpsRedirectOptions } from "./guards/https-redirect.ts";
export type { IdentityOptions } from "./guards/identity.ts";
export type { OverloadOptions } from "./guards/overload.ts";
export type { RateLimiter } from "./guards/rate-limit.ts";
export type { RateAnswer, RateHeaders, RateKey, RateLimitOptions, RateRefusal } from "./guards/rate-limit-options.ts";
export { type RedisRatesOptions, type RedisScripts, redisRates } from "./guards/redis-rates.ts";

/** A gateway that {@link lbFastify} made. */
export interface FastifyGateway {
  /** Chooses the targets: events, drains. */
  readonly balancer: UrlBalancer;
  /** Plain JSON. */
  status(): GatewayStatus;
}

declare module "fastify" {
  interface FastifyInstance {
    /** The gateways of `lbFastify` by their whole prefix, `"/"` for one without. */
    readonly gateways: ReadonlyMap<string, FastifyGateway>;
    /** The limits of `rateLimit` by their names. */
    readonly rateLimits: ReadonlyMap<string, RateLimiter>;
    /** What the app says of itself, by `health`. */
    readonly readiness: Readiness;
  }
}

export interface LbFastifyOptions extends BalanceOptions<FastifyRequest> {
  /** Where the gateway is mounted; targets see paths without it, unless `path` says otherwise. Default: at the root. */
  readonly prefix?: string;
}

/**
 * Relays all requests under its prefix to the best of several targets:
 *
 * ```js
 * await app.register(lbFastify, { prefix: "/api", targets: ["http://10.0.0.1:3000", "http://10.0.0.2:3000"] });
 * ```
 *
 * Hooks of the app up to `preHandler`, and `onResponse`, hold for these requests too; `onSend` does not, since bodies are
 * streamed past Fastify. WebSockets come along: their requests go through the app like all others. Closing the app
 * closes the gateway.
 *
 * @throws OptionError for the first option that cannot be used
 */
export const lbFastify: FastifyPluginAsync<LbFastifyOptions> = fp(
  async (app: FastifyInstance, { prefix = "", ...options }: LbFastifyOptions) => {
    const gateway = new Gateway(options);
    if (!app.hasDecorator("gateways")) app.decorate("gateways", new Map());
    // The server waits for its connections, and only then is the rest closed.
    app.addHook("preClose", async () => gateway.endWebSockets());
    app.addHook("onClose", () => gateway.close());
    await app.register(async (scope) => mount(scope, gateway), { prefix });
    if (gateway.webSockets) serveUpgrades(app.server);
  },
  { fastify: "5.x", name: "@lb/express" },
);

function mount(app: FastifyInstance, gateway: Gateway): void {
  const { prefix } = app;
  (app.gateways as Map<string, FastifyGateway>).set(prefix === "" ? "/" : prefix, gateway);
  // Bodies are streamed, whatever they are.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
  const stripped = prefix === "" ? undefined : new MountPrefix(prefix);
  for (const url of ["/", "/*"]) {
    app.all(url, (request, reply) => gateway.relay(new FastifyCall(request, reply, stripped)));
  }
}

/** A guard as a plugin; what `make` takes are the plugin's options. */
function pluginOf<Options extends object>(
  name: string,
  make: (options: Options, app: FastifyInstance) => Guard,
  hook: (options: Options) => "onRequest" | "preHandler" = () => "onRequest",
) {
  const plugin: FastifyPluginAsync<Options> = async (app, options) => {
    // Fastify adds these to the options of any plugin.
    const {
      prefix: _prefix,
      logLevel: _level,
      logSerializers: _serializers,
      ...own
    } = options as Record<string, unknown>;
    const guard = make(own as Options, app);
    app.addHook(
      hook(options) as "preHandler",
      (request: FastifyRequest, reply: FastifyReply, proceed: (error?: Error) => void) => {
        const call = new FastifyCall(request, reply);
        const verdict = guard(call);
        if (verdict === undefined) proceed();
        else if (verdict instanceof Promise) {
          verdict.then((answer) => (answer === undefined ? proceed() : call.answer(answer)), proceed);
        } else call.answer(verdict);
      },
    );
  };
  return fp(plugin, { fastify: "5.x", name: `@lb/express/${name}` });
}

/**
 * Answers `/health`, `/health/live`, `/health/ready` and `/health/detailed` with 200 or 503. `/live` says that the event
 * loop turns; the others that all checks pass, that this process is not about to end, and that the app has not said by
 * `app.readiness.signalNotReady()` that it is not ready.
 */
export const health: FastifyPluginAsync<HealthRouteOptions<FastifyRequest>> = pluginOf("health", (options, app) => {
  const { guard, readiness } = healthOf(options);
  if (!app.hasDecorator("readiness")) app.decorate("readiness", readiness);
  app.addHook("onClose", () => readiness.close());
  return guard ?? (() => undefined);
});

/**
 * Says in the header of each response which instance of the cluster answered. Does nothing in a process that is not an
 * instance.
 */
export const identity: FastifyPluginAsync<IdentityOptions> = pluginOf("identity", identityGuard);

/**
 * Once this process is about to end: `Connection: close` on each response, and after a moment 503 with Retry-After for
 * new requests, upgrades among them.
 */
export const drain: FastifyPluginAsync<DrainOptions> = pluginOf("drain", drainGuard);

/**
 * Refuses requests with 503 while the event loop has no time left, or too many are under way. To be registered before
 * all but `health`: then a refusal costs next to nothing.
 */
export const overload: FastifyPluginAsync<OverloadOptions> = pluginOf("overload", overloadGuard);

/** Limits how many connections of one client address may have a request under way at once; those beyond get 429. */
export const connectionLimit: FastifyPluginAsync<ConnectionLimitOptions> = pluginOf(
  "connection-limit",
  connectionLimitGuard,
);

/**
 * Sends requests that did not come by TLS to the same URL with `https:`. A proxy in front counts as far as `trustProxy`
 * has it.
 */
export const httpsRedirect: FastifyPluginAsync<HttpsRedirectOptions> = pluginOf("https-redirect", httpsRedirectGuard);

export interface FastifyRateLimitOptions extends RateLimitOptions<FastifyRequest> {
  /** When requests are counted: `"preHandler"` where it is only then known who asks. Default `"onRequest"`. */
  readonly hook?: "onRequest" | "preHandler";
}

/**
 * Limits how often a client may ask; what is more gets 429 with Retry-After. `{ points: 10, burst: 20 }` is nginx's
 * `rate=10r/s burst=20 nodelay`. In a cluster, its instances count together. Each response says how things stand, by default
 * in RateLimit-Limit, -Remaining, -Reset and -Policy. `app.rateLimits` has each limit by its name, to give points back to a
 * client, forget it or block it.
 */
export const rateLimit: FastifyPluginAsync<FastifyRateLimitOptions> = pluginOf(
  "rate-limit",
  ({ hook = "onRequest", ...options }: FastifyRateLimitOptions, app) => {
    if (hook !== "onRequest" && hook !== "preHandler") {
      throw new OptionError("hook", hook, 'give "onRequest" or "preHandler"');
    }
    const { guard, limiter } = rateLimitOf(options);
    if (!app.hasDecorator("rateLimits")) app.decorate("rateLimits", new Map());
    (app.rateLimits as Map<string, RateLimiter>).set(limiter.name, limiter);
    return guard;
  },
  ({ hook = "onRequest" }) => hook,
);
