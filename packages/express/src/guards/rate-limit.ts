import { createHash } from "node:crypto";
import {
  addressKey,
  currentInstance,
  type LbError,
  localRates,
  normaliseAddress,
  OptionError,
  type RateReading,
  type Rates,
  sharedRates,
} from "@lb/core";
import { parseOptions, systemClock, systemWallClock } from "@lb/core/kit";
import type { Answer, Call, Guard } from "../call.ts";
import { errorAnswer } from "../error-answer.ts";
import { GatewayError } from "../errors.ts";
import { InsuredRates } from "./insured-rates.ts";
import { RateFields } from "./rate-fields.ts";
import { type RateKey, type RateLimitOptions, type RateLimitSettings, rateLimitSchema } from "./rate-limit-options.ts";

/** What can be done about one client of a limit. Its key is what `key` returns for it, or its address. */
export interface RateLimiter {
  readonly name: string;
  /** Gives points back, by default one. */
  refund(key: string | number, points?: number): Promise<void>;
  /** Forgets what it has taken. */
  reset(key: string | number): Promise<void>;
  /** Refuses it for so long; afterwards it has its pace, and no burst at first. */
  block(key: string | number, ms: number): Promise<void>;
}

export interface RateLimit {
  readonly guard: Guard;
  readonly limiter: RateLimiter;
}

/** What this process counts by itself, for all limits. */
const ownRates = localRates();

/** @throws OptionError for the first option that cannot be used */
export function rateLimitOf(input: RateLimitOptions<never>): RateLimit {
  const settings = parseOptions(rateLimitSchema, input);
  const { points, windowMs, burst = Math.max(0, points - 1), key, skipFailed, skipSuccessful, answer } = settings;
  const { name = ownName(`${points}/${windowMs}/${burst}`) } = settings;
  const rate = { points, windowMs, burst };
  const rates = ratesOf(settings);
  const fields = new RateFields({ headers: settings.headers, name, ...rate, wallClock: systemWallClock });
  const prefixes = { ipv4PrefixLength: 32, ipv6PrefixLength: settings.ipv6Prefix };
  const entryOf = (whom: string) => `${name} ${shortened(whom)}`;
  /** Without a `key`, whom is meant is an address. */
  const adjust = (whom: string | number, by: number) =>
    rates.adjust(
      entryOf(key === undefined ? addressKey(normaliseAddress(String(whom)), prefixes) : String(whom)),
      rate,
      by,
    );

  async function refusal(call: Call, whom: string, { retryMs }: RateReading): Promise<Answer> {
    const retryAfterSeconds = Math.ceil(retryMs / 1_000);
    const error = new GatewayError("LB_RATE_LIMITED", `More than ${fields.policy}`, { retryAfterSeconds });
    if (answer === undefined) return errorAnswer(call, error);
    const { status, headers, body } = await answer(
      { key: whom, limit: fields.limit, retryAfterSeconds },
      call.frameworkRequest,
    );
    return { status: status ?? 429, headers: { "retry-after": String(retryAfterSeconds), ...headers }, body };
  }

  /** A request that is to count for nothing is known only when it is over. */
  function giveBackLater(call: Call, whom: string): void {
    call.onceOver(() => {
      const { statusCode, writableFinished } = call.response;
      const failed = statusCode >= 400 || !(writableFinished || statusCode === 101);
      // A store that fails is told of by `onError`.
      if (failed ? skipFailed : skipSuccessful) rates.adjust(entryOf(whom), rate, -1).catch(() => {});
    });
  }

  const guard: Guard = async (call) => {
    const whom =
      key === undefined ? addressKey(call.clientAddress, prefixes) : await ownKey(() => key(call.frameworkRequest));
    if (whom === undefined) return undefined;
    let reading: RateReading;
    try {
      reading = await rates.take(entryOf(whom), rate);
    } catch (error) {
      if (error instanceof GatewayError && error.code === "LB_RATE_STORE") return errorAnswer(call, error);
      throw error;
    }
    for (const [field, value] of fields.of(reading)) call.setHeader(field, value);
    if (!reading.allowed) return refusal(call, whom, reading);
    if (skipFailed || skipSuccessful) giveBackLater(call, whom);
    return undefined;
  };

  const limiter: RateLimiter = {
    name,
    refund: (whom, given = 1) => adjust(whom, -given),
    reset: (whom) => adjust(whom, Number.NEGATIVE_INFINITY),
    block: async (whom, ms) => {
      if (!(ms > 0 && ms < Number.POSITIVE_INFINITY)) throw new OptionError("ms", ms, "give milliseconds, more than 0");
      await adjust(whom, Number.NEGATIVE_INFINITY);
      await adjust(whom, (ms * points) / windowMs + burst);
    },
  };
  return { guard, limiter };
}

function ratesOf({ store, failClosed, onError }: RateLimitSettings): Rates {
  const own = failClosed ? undefined : ownRates;
  const failed = (error: LbError) => onError?.(error);
  const insured = (rates: Rates, patienceMs: number) =>
    new InsuredRates({ store: rates, own, patienceMs, clock: systemClock, failed });
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
