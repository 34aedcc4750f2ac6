import { createHash } from "node:crypto";
import { currentInstance, type LbError, localRates, type RateReading, type Rates, sharedRates } from "@lb/core";
import { callback, milliseconds, options, parseOptions, positiveNumber, systemClock } from "@lb/core/kit";
import * as v from "valibot";
import { type Answer, type Call, clientKey, type Guard } from "../call.ts";
import { errorAnswer } from "../error-answer.ts";
import { GatewayError } from "../errors.ts";
import { InsuredRates } from "./insured-rates.ts";

/** Whom a request counts for; undefined: it is not limited. */
export type RateKey = string | number | undefined;

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
  /** Whom a request counts for; undefined: it is not limited. Default: the client's address, or its IPv6 /64. */
  readonly key?: (request: Request) => RateKey | PromiseLike<RateKey>;
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
  /**
   * Told when the store fails, or says nothing for 250 ms (the cluster's: 2 s). This process counts alone then, by the
   * same numbers, and asks the store again after a second.
   */
  readonly onError?: (error: LbError) => void;
}

const isRates = (value: unknown): value is Rates => typeof (value as Rates | undefined)?.take === "function";

const schema = options({
  points: positiveNumber(),
  windowMs: v.optional(milliseconds(1), 1_000),
  burst: v.optional(
    v.pipe(v.number("give a number of at least 0"), v.finite(), v.minValue(0, "give a number of at least 0")),
  ),
  key: v.optional(
    callback<(request: unknown) => RateKey | PromiseLike<RateKey>>("give a function that takes a request"),
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
  onError: v.optional(callback<(error: LbError) => void>("give a function that takes an error")),
});

/** What this process counts by itself, for all limits. */
const ownRates = localRates();

/**
 * @param requestOf what the framework calls a request
 * @throws OptionError for the first option that cannot be used
 */
export function rateLimitGuard<Request>(input: RateLimitOptions<Request>, requestOf: (call: Call) => Request): Guard {
  const {
    points,
    windowMs,
    burst = Math.max(0, points - 1),
    key,
    store,
    onError,
    ...rest
  } = parseOptions(schema, input);
  const { name = ownName(`${points}/${windowMs}/${burst}`) } = rest;
  const rate = { points, windowMs, burst };
  const rates = ratesOf(store, (error) => onError?.(error));
  const policy = `${points};w=${Math.ceil(windowMs / 1_000)};burst=${burst}`;
  const most = String(Math.floor(burst) + 1);

  const answerFor = (call: Call, { allowed, remaining, retryMs, resetMs }: RateReading): Answer | undefined => {
    call.setHeader("RateLimit-Policy", policy);
    call.setHeader("RateLimit-Limit", most);
    call.setHeader("RateLimit-Remaining", String(remaining));
    call.setHeader("RateLimit-Reset", String(Math.ceil(resetMs / 1_000)));
    if (allowed) return undefined;
    const retryAfterSeconds = Math.ceil(retryMs / 1_000);
    return errorAnswer(call, new GatewayError("LB_RATE_LIMITED", `More than ${policy}`, { retryAfterSeconds }));
  };
  return async (call) => {
    const whom = key === undefined ? clientKey(call) : await ownKey(() => key(requestOf(call)));
    return whom === undefined ? undefined : answerFor(call, await rates.take(`${name} ${shortened(whom)}`, rate));
  };
}

function ratesOf(store: "memory" | "cluster" | Rates | undefined, failed: (error: LbError) => void): Rates {
  const insured = (rates: Rates, patienceMs: number) =>
    new InsuredRates({ store: rates, own: ownRates, patienceMs, clock: systemClock, failed });
  switch (store) {
    case undefined:
      return currentInstance() === undefined ? ownRates : insured(sharedRates(sharedName), 2_000);
    case "memory":
      return ownRates;
    case "cluster":
      return insured(sharedRates(sharedName), 2_000);
    default:
      return insured(store, 250);
  }
}

const sharedName = "@lb/express";

/** How many limits with these numbers were made without a name. */
const unnamed = new Map<string, number>();

function ownName(numbers: string): string {
  const count = (unnamed.get(numbers) ?? 0) + 1;
  unnamed.set(numbers, count);
  return count === 1 ? numbers : `${numbers} #${count}`;
}

/** @throws GatewayError `LB_RULE` when the function throws, rejects or makes what is no key */
async function ownKey(make: () => RateKey | PromiseLike<RateKey>): Promise<string | undefined> {
  let made: unknown;
  try {
    made = await make();
  } catch (cause) {
    throw new GatewayError("LB_RULE", 'The function in the option "key" threw', { cause });
  }
  if (made === undefined || typeof made === "string") return made;
  if (typeof made === "number") return String(made);
  const remedy = "return a text or a number, or undefined for a request that is not limited";
  throw new GatewayError("LB_RULE", `The function in the option "key" returned what is no key: ${remedy}`);
}

/** Stores bound their keys, and who sends a key of many bytes is not to be spared. */
function shortened(key: string): string {
  return key.length <= 200 ? key : createHash("sha256").update(key).digest("base64url");
}
