import type { IncomingMessage } from "node:http";
import { type Middleware, middlewareOf } from "./bindings/express-call.ts";
import { type ConnectionLimitOptions, connectionLimitGuard } from "./guards/connection-limit.ts";
import { type DrainOptions, drainGuard } from "./guards/drain.ts";
import { type HealthRouteOptions, healthOf, type Readiness } from "./guards/health.ts";
import { type HttpsRedirectOptions, httpsRedirectGuard } from "./guards/https-redirect.ts";
import { type IdentityOptions, identityGuard } from "./guards/identity.ts";
import { type OverloadOptions, overloadGuard } from "./guards/overload.ts";
import { type RateLimiter, rateLimitOf } from "./guards/rate-limit.ts";
import type { RateLimitOptions } from "./guards/rate-limit-options.ts";

export type { Middleware, Next } from "./bindings/express-call.ts";
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

/**
 * Answers `/health`, `/health/live`, `/health/ready` and `/health/detailed` with 200 or 503, and passes everything else on.
 * `/live` says that the event loop turns; the others that all checks pass, that this process is not about to end, and that
 * the app has not said by `signalNotReady()` that it is not ready.
 *
 * @throws OptionError for the first option that cannot be used
 */
export function health<Request = IncomingMessage>(options: HealthRouteOptions<Request> = {}): Middleware & Readiness {
  const { guard, readiness } = healthOf(options);
  return Object.assign(middlewareOf(guard ?? (() => undefined)), readiness);
}

/**
 * Says in the header of each response which instance of the cluster answered. Does nothing in a process that is not an
 * instance.
 *
 * @throws OptionError for the first option that cannot be used
 */
export function identity(options: IdentityOptions = {}): Middleware {
  return middlewareOf(identityGuard(options));
}

/**
 * Once this process is about to end: `Connection: close` on each response, and after a moment 503 with Retry-After for
 * new requests, upgrades among them.
 *
 * @throws OptionError for the first option that cannot be used
 */
export function drain(options: DrainOptions = {}): Middleware {
  return middlewareOf(drainGuard(options));
}

/**
 * Refuses requests with 503 while the event loop has no time left, or too many are under way. To be mounted before all
 * but `health()`: then a refusal costs next to nothing.
 *
 * @throws OptionError for the first option that cannot be used
 */
export function overload(options: OverloadOptions = {}): Middleware {
  return middlewareOf(overloadGuard(options));
}

/**
 * Limits how many connections of one client address may have a request under way at once; those beyond get 429.
 *
 * @throws OptionError for the first option that cannot be used
 */
export function connectionLimit(options: ConnectionLimitOptions = {}): Middleware {
  return middlewareOf(connectionLimitGuard(options));
}

/**
 * Sends requests that did not come by TLS to the same URL with `https:`. A proxy in front counts as far as `trust proxy`
 * has it.
 *
 * @throws OptionError for the first option that cannot be used
 */
export function httpsRedirect(options: HttpsRedirectOptions = {}): Middleware {
  return middlewareOf(httpsRedirectGuard(options));
}

/**
 * Limits how often a client may ask; what is more gets 429 with Retry-After. `{ points: 10, burst: 20 }` is nginx's
 * `rate=10r/s burst=20 nodelay`. In a cluster, its instances count together. Each response says how things stand, by default
 * in RateLimit-Limit, -Remaining, -Reset and -Policy. What it returns can also give points back to a client, forget it or
 * block it.
 *
 * @throws OptionError for the first option that cannot be used
 */
export function rateLimit<Request = IncomingMessage>(options: RateLimitOptions<Request>): Middleware & RateLimiter {
  const { guard, limiter } = rateLimitOf(options);
  const { name, ...actions } = limiter;
  return Object.defineProperty(Object.assign(middlewareOf(guard), actions), "name", { value: name }) as Middleware &
    RateLimiter;
}
