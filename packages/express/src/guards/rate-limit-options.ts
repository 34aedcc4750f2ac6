import type { LbError, Rates } from "@lb/core";
import { callback, milliseconds, options, positiveNumber, wholeNumber, yesOrNo } from "@lb/core/kit";
import * as v from "valibot";

/** Whom a request counts for; undefined: it is not limited. */
export type RateKey = string | number | undefined;

/** How a response says how things stand; see {@link RateLimitOptions.headers}. */
export type RateHeaders = "draft-6" | "draft-7" | "draft-8" | "x-ratelimit";

/** One request that is refused. */
export interface RateRefusal {
  readonly key: string;
  /** What may come at once. */
  readonly limit: number;
  readonly retryAfterSeconds: number;
}

/** An answer of the app's own. */
export interface RateAnswer {
  /** Default 429. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RateLimitOptions<Request = unknown> {
  /** Requests in a window, evenly. */
  readonly points: number;
  /** Default 1,000: `points` are requests a second. */
  readonly windowMs?: number;
  /**
   * Requests that may come ahead of that pace, as nginx's `burst` with `nodelay` has it. Default `points - 1`: all of a
   * window may come at once.
   */
  readonly burst?: number;
  /** Whom a request counts for, e.g. its user; undefined: it is not limited. Default: the client's address. */
  readonly key?: (request: Request) => RateKey | PromiseLike<RateKey>;
  /** How many bits of an IPv6 address are a client, since whoever has one has a whole network of them. Default 64. */
  readonly ipv6Prefix?: number;
  /** Requests that are answered with 400 or more, or not to their end, count for nothing afterwards. Default false. */
  readonly skipFailed?: boolean;
  /** Requests that are answered with less than 400 count for nothing afterwards: of logins, those that fail count. Default false. */
  readonly skipSuccessful?: boolean;
  /** What a client gets that is refused, in place of our answer. Retry-After is said in any case. */
  readonly answer?: (refusal: RateRefusal, request: Request) => RateAnswer | PromiseLike<RateAnswer>;
  /**
   * How responses say how things stand: `"draft-6"`, the default (RateLimit-Limit, -Remaining, -Reset, -Policy), `"draft-7"`
   * (RateLimit in one, with its policy), `"draft-8"` (the same by name), `"x-ratelimit"` (X-RateLimit-*, its reset a point
   * in time), several of them as a list, or `false`.
   */
  readonly headers?: RateHeaders | readonly RateHeaders[] | false;
  /**
   * Limits of the same name count together. Default: a name of its own, of its numbers and how many there were with the
   * same before it, e.g. `"10/1000/20"` and `"10/1000/20 #2"`; so in all instances of one program the same limit is meant.
   */
  readonly name?: string;
  /**
   * Where it is counted. Default: in an instance of a cluster `"cluster"`, by all instances together; in any other process
   * `"memory"`, by this process alone. For several machines, `redisRates(…)`.
   */
  readonly store?: "memory" | "cluster" | Rates;
  /** Requests are refused with 503 while the store fails. Default false: this process counts alone then. */
  readonly failClosed?: boolean;
  /**
   * Told when the store fails, or says nothing for 250 ms (the cluster's: 2 s). This process counts alone then, by the
   * same numbers, and asks the store again after a second.
   */
  readonly onError?: (error: LbError) => void;
}

const isRates = (value: unknown): value is Rates =>
  ["take", "adjust"].every((name) => typeof (value as Record<string, unknown> | undefined)?.[name] === "function");

const headerNames = ["draft-6", "draft-7", "draft-8", "x-ratelimit"] as const;
const headersRemedy = 'give "draft-6", "draft-7", "draft-8", "x-ratelimit", a list of them or false';

export const rateLimitSchema = options({
  points: positiveNumber(),
  windowMs: v.optional(milliseconds(1), 1_000),
  burst: v.optional(
    v.pipe(v.number("give a number of at least 0"), v.finite(), v.minValue(0, "give a number of at least 0")),
  ),
  key: v.optional(
    callback<(request: unknown) => RateKey | PromiseLike<RateKey>>("give a function that takes a request"),
  ),
  ipv6Prefix: v.optional(wholeNumber(16, 128), 64),
  skipFailed: v.optional(yesOrNo(), false),
  skipSuccessful: v.optional(yesOrNo(), false),
  answer: v.optional(
    callback<(refusal: RateRefusal, request: unknown) => RateAnswer | PromiseLike<RateAnswer>>(
      "give a function that returns { status, headers, body }",
    ),
  ),
  headers: v.optional(
    v.pipe(
      v.union(
        [v.literal(false), v.picklist(headerNames), v.array(v.picklist(headerNames, headersRemedy))],
        headersRemedy,
      ),
      v.transform((given): readonly RateHeaders[] => (given === false ? [] : [given].flat())),
    ),
    "draft-6",
  ),
  name: v.optional(
    v.pipe(v.string("give a text"), v.minLength(1, "give a text"), v.maxLength(100, "give a short text")),
  ),
  store: v.optional(
    v.custom<"memory" | "cluster" | Rates>(
      (value) => value === "memory" || value === "cluster" || isRates(value),
      'give "memory", "cluster" or redisRates(…)',
    ),
  ),
  failClosed: v.optional(yesOrNo(), false),
  onError: v.optional(callback<(error: LbError) => void>("give a function that takes an error")),
});

/** {@link RateLimitOptions}, checked and completed. */
export type RateLimitSettings = v.InferOutput<typeof rateLimitSchema>;
