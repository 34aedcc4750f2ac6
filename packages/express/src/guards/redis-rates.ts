import { createHash } from "node:crypto";
import { OptionError, type Rate, type RateReading, type Rates } from "@lb/core";

/** The part of an `ioredis` client, of one server or of a cluster, that is used here. */
export interface RedisScripts {
  evalsha(sha: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
}

export interface RedisRatesOptions {
  /** Of all keys in Redis. Default `"lb:rate:"`. */
  readonly prefix?: string;
}

/**
 * What core's RateTable does, in Redis and by its clock: the key holds the moment, in milliseconds, up to which its
 * requests have used up the pace, and expires with it. Redis returns whole numbers only, hence the microseconds.
 */
const taking = scriptOf(`
local time = redis.call("TIME")
local now = time[1] * 1000 + time[2] / 1000
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local used = math.max(now, tonumber(redis.call("GET", KEYS[1]) or "0"))
local ahead = (used - now) / interval
if ahead > burst + 0.001 then
  return { 0, 0, math.ceil((ahead - burst) * interval * 1000), math.ceil((used - now) * 1000) }
end
used = used + interval
redis.call("SET", KEYS[1], string.format("%.3f", used), "PX", math.max(1, math.ceil(used - now)))
local remaining = math.floor(burst - ahead + 0.001)
local retry = 0
if remaining < 1 then retry = math.max(0, (ahead + 1 - burst) * interval) end
return { 1, remaining, math.ceil(retry * 1000), math.ceil((used - now) * 1000) }
`);

/** The same for RateTable's `adjust`. */
const adjusting = scriptOf(`
local time = redis.call("TIME")
local now = time[1] * 1000 + time[2] / 1000
local used = math.max(now, tonumber(redis.call("GET", KEYS[1]) or "0")) + tonumber(ARGV[1])
if used > now then
  redis.call("SET", KEYS[1], string.format("%.3f", used), "PX", math.max(1, math.ceil(used - now)))
else
  redis.call("DEL", KEYS[1])
end
return 0
`);

function scriptOf(source: string) {
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}

/**
 * Rates that all processes share which use this Redis: for several machines. One round trip a request.
 *
 * @throws OptionError for a client that is none of ioredis
 */
export function redisRates(redis: RedisScripts, { prefix = "lb:rate:" }: RedisRatesOptions = {}): Rates {
  const { evalsha, eval: evaluate } = (redis ?? {}) as Partial<RedisScripts>;
  if (typeof evalsha !== "function" || typeof evaluate !== "function") {
    throw new OptionError("redis", redis, "give a client of ioredis (one of the package redis does not do)");
  }
  const run = async ({ source, sha }: typeof taking, ...parts: readonly [string, ...string[]]): Promise<unknown> => {
    return redis.evalsha(sha, 1, ...parts).catch((error: Error) => {
      if (!error.message.startsWith("NOSCRIPT")) throw error;
      return redis.eval(source, 1, ...parts);
    });
  };
  return {
    async take(key: string, { points, windowMs, burst }: Rate): Promise<RateReading> {
      const reply = await run(taking, prefix + key, String(windowMs / points), String(burst));
      const [allowed, remaining, retryMicroseconds, resetMicroseconds] = reply as [number, number, number, number];
      return {
        allowed: allowed === 1,
        remaining,
        retryMs: retryMicroseconds / 1_000,
        resetMs: resetMicroseconds / 1_000,
      };
    },
    async adjust(key: string, { points, windowMs }: Rate, by: number): Promise<void> {
      // Lua reads no "-Infinity".
      await run(adjusting, prefix + key, String(Math.max(-Number.MAX_SAFE_INTEGER, (by * windowMs) / points)));
    },
  };
}
