import * as v from "valibot";
import type { RequestView } from "../model/request-view.ts";
import { type EntriesOf, option, required } from "./option.ts";
import { callback, milliseconds, options, positiveNumber, wholeNumber, withEntries, yesOrNo } from "./validation.ts";

/** Whose requests count together. */
export type RateLimitKey =
  | "address"
  | { readonly header: string }
  | { readonly cookie: string }
  | ((request: RequestView) => string | undefined);

/** How many requests may pass, as nginx's `limit_req` has it. */
export interface RateLimitOptions {
  /** So many pass in `windowMs` on average: `{ points: 10, windowMs: 1_000 }` is `rate=10r/s`. */
  readonly points: number;
  /** The time that `points` are for. */
  readonly windowMs: number;
  /** So many may come at once besides one. Default: `points` less one, so that those of a window may; nginx's is 0. */
  readonly burst?: number | undefined;
  /**
   * Whose requests count together: `"address"`, `{ header: "x-api-key" }`, `{ cookie: "session" }`, or what a function returns; a request that
   * has none is not limited. Default `"address"`: IPv6 by /64; behind `trustedProxies` that which they name.
   */
  readonly key?: RateLimitKey | undefined;
  /**
   * Requests of a burst are held back until they are as far apart as the rate has it: `true`: all; a number: those beyond so
   * many, as nginx's `delay=`. Default `false`: none, as `nodelay`.
   */
  readonly delay?: boolean | number | undefined;
  /** What is answered to those that may not. Default 429. */
  readonly statusCode?: number | undefined;
  /** Responses to those that pass say how many more may, too: `RateLimit` and `RateLimit-Policy`. Default false. */
  readonly headers?: boolean | undefined;
  /** All pass, and the event says who would not have. Default false. */
  readonly dryRun?: boolean | undefined;
}

/** {@link RateLimitOptions}, checked and completed. */
export interface RateLimitSettings {
  readonly points: number;
  readonly windowMs: number;
  readonly burst: number;
  readonly key: RateLimitKey;
  /** Requests above the rate that are not held back; Infinity: none is. */
  readonly heldBeyond: number;
  readonly statusCode: number;
  readonly headers: boolean;
  readonly dryRun: boolean;
}

const nameRemedy = 'give the name of a field, e.g. { header: "x-api-key" }, or of a cookie, { cookie: "session" }';
const name = v.pipe(v.string(nameRemedy), v.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, nameRemedy));
const keyRemedy =
  'give "address", { header: "x-api-key" }, { cookie: "session" }, or a function that takes a request and returns a string or undefined';

const key = v.union(
  [
    v.literal("address"),
    v.strictObject({ header: name }),
    v.strictObject({ cookie: name }),
    callback<Extract<RateLimitKey, (...args: never[]) => unknown>>(keyRemedy),
  ],
  keyRemedy,
);

const entries = {
  points: required(positiveNumber(), "so many requests pass in `windowMs` on average"),
  windowMs: required(milliseconds(1, 30 * 86_400_000), "the time that they are for"),
  burst: option(wholeNumber(0, 1_000_000), undefined, "so many may come at once besides one; nginx's default is 0", {
    otherwise: "`points` less one",
  }),
  key: option(
    key,
    "address",
    '`"address"` (IPv6 by /64), `{ header }`, `{ cookie }`, or a function; without one it is not limited',
  ),
  delay: option(
    v.union([v.boolean(), wholeNumber(0, 1_000_000)], "give true, false, or how many are not held back"),
    false,
    "`true`: a burst is held back evenly; a number: what is beyond that; `false`: nginx's `nodelay`",
  ),
  statusCode: option(wholeNumber(400, 599), 429, "what those get that may not pass"),
  headers: option(yesOrNo(), false, "`RateLimit` and `RateLimit-Policy` on responses to those that pass, too"),
  dryRun: option(yesOrNo(), false, "all pass, and the event says who would not have"),
} satisfies EntriesOf<RateLimitOptions>;

const group = options(entries);

/** The `rateLimit` option, wherever it occurs. */
export const rateLimitSchema = withEntries(
  v.pipe(
    group,
    v.transform(({ burst, delay, ...rest }): RateLimitSettings => {
      const heldBeyond = delay === false ? Number.POSITIVE_INFINITY : delay === true ? 0 : delay;
      return Object.freeze({ ...rest, burst: burst ?? Math.max(0, Math.ceil(rest.points) - 1), heldBeyond });
    }),
  ) as unknown as v.GenericSchema<RateLimitOptions, RateLimitSettings>,
  group,
);
