import { OptionError } from "@lb/core";
import { callback, milliseconds, offOr, option, options, parseOptions, wholeNumber, yesOrNo } from "@lb/core/kit";
import * as v from "valibot";
import type { IpcAdapterOptions } from "./ipc-adapter/ipc-adapter-options.ts";
import type { RedisClient } from "./redis/redis-client.ts";
import type { RedisKind, RedisStatus } from "./redis/redis-link.ts";

export interface DrainOptions {
  /**
   * Milliseconds over which the sockets of an instance that drains are closed, so that its clients do not all come
   * back at once. At most half of the drain's grace (`drainTimeoutMs` of `cluster()`). Default 5,000.
   */
  readonly spreadMs?: number;
}

export interface SetupWorkerOptions {
  /**
   * Redis to meet over, for instances on several machines: a URL (`redis://…`, `rediss://…`) or an ioredis client, of
   * which we take duplicates and which stays yours. Default: the instances of one cluster meet through its primary.
   */
  readonly redis?: string | RedisClient | undefined;
  /** Use Redis's sharded Pub/Sub, which Redis has from version 7 on. Default false. */
  readonly sharded?: boolean | undefined;
  /** Use a Redis stream, which clients that were away can be served from: `connectionStateRecovery`. Default false. */
  readonly streams?: boolean | undefined;
  /**
   * What names in Redis begin with. Servers with the same prefix, wherever they run, form one group. Default
   * `"socket.io"`, as that of other Socket.IO servers.
   */
  readonly prefix?: string | undefined;
  /** For the default, without Redis. */
  readonly ipc?: IpcAdapterOptions | undefined;
  /** How the sockets of an instance that drains are closed; `false`: not by us. */
  readonly drain?: DrainOptions | false | undefined;
  /**
   * Moves idle sockets from instances that have more than the others, as after a scale-up, by ending their transport: so
   * many in a second for each instance. Default `false`: sockets stay where they are.
   */
  readonly rebalance?: { readonly perSecond: number } | false | undefined;
  /** Called when Redis or one of our connections to it is in another state than before. */
  readonly onRedisStatus?: ((status: RedisStatus) => void) | undefined;
}

/** {@link SetupWorkerOptions}, checked and completed. */
export interface SetupWorkerSettings {
  readonly redis:
    | { readonly client: string | RedisClient; readonly kind: RedisKind; readonly prefix: string }
    | undefined;
  /** Checked by the adapter itself. */
  readonly ipc: IpcAdapterOptions;
  /** Undefined: sockets are left alone. */
  readonly drainSpreadMs: number | undefined;
  /** Undefined: sockets stay where they are. */
  readonly movedPerSecond: number | undefined;
  readonly onRedisStatus: (status: RedisStatus) => void;
}

const isFunction = (value: unknown) => typeof value === "function";

/** Of ioredis: the client of the package `redis` has `duplicate()` too, and nothing else in common with it. */
function isRedis(value: unknown): boolean {
  if (typeof value === "string") return /^rediss?:\/\/./.test(value);
  const client = value as Partial<RedisClient> | null | undefined;
  return isFunction(client?.duplicate) && typeof client?.status === "string";
}

const redisRemedy =
  'give a URL such as "redis://127.0.0.1:6379", or a client of ioredis (one of the package redis does not do)';

const prefixRemedy = "use up to 100 letters, digits and the signs . : { } _ -";

const drain = options({ spreadMs: v.optional(milliseconds(0), 5_000) }, "give { spreadMs }, or false");
const rebalance = options({ perSecond: wholeNumber(1) }, "give { perSecond }, or false");

/** @public The table in docs/socket.md is made of it. */
export const setupWorkerSchema = options({
  redis: option(
    v.custom<string | RedisClient>(isRedis, redisRemedy),
    undefined,
    "a URL (`redis://…`, `rediss://…`) or a client of ioredis (not of `redis`), of which duplicates are taken and which stays yours",
    { otherwise: "none" },
  ),
  sharded: option(yesOrNo(), false, "sharded Pub/Sub (Redis 7)"),
  streams: option(yesOrNo(), false, "a Redis stream, which `connectionStateRecovery` can be served from"),
  prefix: option(
    v.pipe(v.string(prefixRemedy), v.regex(/^[\w.:{}-]{1,100}$/, prefixRemedy)),
    "socket.io",
    "what names in Redis begin with; servers with the same prefix form one group, on however many machines",
  ),
  drain: option(
    offOr(drain),
    {},
    "over how long the sockets of a draining instance are closed, at most half of the drain's grace; `false`: not by us",
    { otherwise: "`{ spreadMs: 5_000 }`" },
  ),
  rebalance: option(
    offOr(rebalance),
    false,
    "`{ perSecond }`: so many idle sockets a second move away from an instance that has more than the others, as after a scale-up",
  ),
  ipc: option(
    v.custom<IpcAdapterOptions>((value) => typeof value === "object" && value !== null, "give an object"),
    {},
    "bounds of the default adapter: `requestTimeoutMs`, `recovery: { maxEntries, maxBytes }`, `onError`",
    { otherwise: "see `IpcAdapterOptions`" },
  ),
  onRedisStatus: option(
    callback<(status: RedisStatus) => void>("give a function"),
    undefined,
    "called when Redis is in another state than before",
    { otherwise: "none" },
  ),
});

/** @throws OptionError for the first value that cannot be used */
export function parseSetupWorkerOptions(input: SetupWorkerOptions): SetupWorkerSettings {
  const {
    redis,
    sharded,
    streams,
    prefix,
    ipc,
    drain: paced,
    rebalance: moves,
    onRedisStatus = () => {},
  } = parseOptions(setupWorkerSchema, input);
  if (sharded && streams) {
    throw new OptionError("sharded", sharded, "streams and sharded Pub/Sub exclude each other, give one of them");
  }
  if (redis === undefined) {
    for (const [option, given] of Object.entries({ sharded, streams })) {
      if (given) throw new OptionError(option, given, `say where Redis is with the option "redis"`);
    }
  } else if (typeof redis !== "string" && redis.isCluster === true) {
    throw new OptionError("redis", redis, "Redis Cluster clients are not supported, give the URL of one Redis");
  }
  const kind: RedisKind = streams ? "streams" : sharded ? "sharded" : "pub-sub";
  return Object.freeze({
    redis: redis === undefined ? undefined : { client: redis, kind, prefix },
    ipc,
    drainSpreadMs: paced === false ? undefined : paced.spreadMs,
    movedPerSecond: moves === false ? undefined : moves.perSecond,
    onRedisStatus,
  });
}
