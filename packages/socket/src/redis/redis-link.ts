import type { Clock } from "@lb/core";
import type { Adapter } from "socket.io-adapter";
import { boundPublishing } from "./bounded-publishing.ts";
import { keepSubscriptions } from "./kept-subscriptions.ts";
import { peerPackage } from "./peer-packages.ts";
import { reconnectDelayMs } from "./reconnect-delay.ts";
import type { OwnRedisClient, RedisClient } from "./redis-client.ts";
import { RedisConnection, type RedisConnectionStatus, type RedisRole } from "./redis-connection.ts";
import { readWithoutGaps } from "./stream-reading.ts";

/** Which of the ways over Redis: plain Pub/Sub, sharded Pub/Sub (Redis 7), or a stream that can be read again. */
export type RedisKind = "pub-sub" | "sharded" | "streams";

export interface RedisLinkOptions {
  readonly redis: string | RedisClient;
  readonly kind: RedisKind;
  /** What channels, streams and keys begin with. */
  readonly prefix: string;
  /** Who this is, for the names of the connections. */
  readonly owner: string;
  readonly clock: Clock;
  readonly changed: () => void;
}

export interface RedisStatus {
  /**
   * - `connecting`: not all connections have been there yet;
   * - `ready`: events reach the other instances;
   * - `degraded`: they do not; each instance serves its own clients, and connects again;
   * - `closed`.
   */
  readonly state: "connecting" | "ready" | "degraded" | "closed";
  readonly connections: readonly RedisConnectionStatus[];
}

/** A Socket.IO adapter for a namespace. */
export type AdapterOf = (namespace: never) => Adapter;

/** What Redis needs longer for is taken as failed. In milliseconds. */
const commandTimeoutMs = 2_000;
/** A connection that is asked something and stays silent for so long is cut, and made anew. */
const silenceMs = 5_000;
/** A stream's reader hears nothing for as long as its blocking read takes, which is 5 s. */
const readerSilenceMs = 15_000;

/** This process's connections to Redis and the adapters on them: made, watched, and closed here. */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #connections: RedisConnection[] = [];
  readonly #adapterOf: AdapterOf;
  #closed = false;

  /** @throws MissingPackageError if a package that `kind` needs is not installed */
  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#adapterOf = this.#adapters();
  }

  /** The adapter of a namespace: it serves local clients whatever becomes of Redis. */
  adapterOf(namespace: never): Adapter {
    const adapter = this.#adapterOf(namespace) as Adapter & { serverCount(): Promise<number> };
    const count = adapter.serverCount.bind(adapter);
    // Without Redis we are alone: those who ask all instances get the answer of this one.
    adapter.serverCount = () => count().catch(() => 1);
    return adapter;
  }

  status(): RedisStatus {
    return { state: this.#state(), connections: this.#connections.map((connection) => connection.status()) };
  }

  /** Resolves when the connections are closed. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  #adapters(): AdapterOf {
    const { kind, prefix } = this.#options;
    switch (kind) {
      case "pub-sub": {
        const { createAdapter } = peerPackage("@socket.io/redis-adapter");
        return createAdapter(this.#connect("publish"), this.#connect("subscribe"), { key: prefix });
      }
      case "sharded": {
        const { createShardedAdapter } = peerPackage("@socket.io/redis-adapter");
        // Static: with a channel for each room, an event can overtake the subscription to the room it is for.
        return createShardedAdapter(this.#connect("publish"), this.#connect("subscribe"), {
          channelPrefix: prefix,
          subscriptionMode: "static",
        });
      }
      case "streams": {
        const { createAdapter } = peerPackage("@socket.io/redis-streams-adapter");
        const publisher = this.#connect("publish");
        // It takes the rest of its connections itself: first the one it subscribes with or the one it reads with.
        const roles: RedisRole[] = ["read", "subscribe"];
        publisher.duplicate = () => this.#connect(roles.shift()!);
        return createAdapter(publisher, {
          streamName: prefix,
          channelPrefix: prefix,
          sessionKeyPrefix: `${prefix}:session:`,
        });
      }
    }
  }

  #connect(role: RedisRole): OwnRedisClient {
    const { owner, clock, changed } = this.#options;
    const name = `lb-socket:${owner}:${role}`;
    const client = this.#client(role, name);
    const connection = new RedisConnection({ role, name, client, clock, changed });
    this.#connections.push(connection);
    const failed = (error: Error) => connection.noteError(error);
    switch (role) {
      case "publish":
        boundPublishing(client, failed, clock);
        break;
      case "subscribe":
        keepSubscriptions(client, failed);
        break;
      case "read":
        readWithoutGaps(client, failed, clock);
        break;
    }
    return client;
  }

  #client(role: RedisRole, connectionName: string): OwnRedisClient {
    const { redis } = this.#options;
    const options = {
      connectionName,
      // Redis knows it from 7.2 on, and says so as an error before.
      disableClientInfo: true,
      lazyConnect: false,
      enableReadyCheck: true,
      enableOfflineQueue: true,
      autoResubscribe: false,
      maxRetriesPerRequest: null,
      retryStrategy: reconnectDelayMs,
      socketTimeout: role === "read" ? readerSilenceMs : silenceMs,
      // A read that waits for entries is no failure, and is to be sent again where it was cut off.
      autoResendUnfulfilledCommands: role === "read",
      ...(role === "publish" && { commandTimeout: commandTimeoutMs }),
    };
    if (typeof redis !== "string") return redis.duplicate(options) as OwnRedisClient;
    const { Redis } = peerPackage("ioredis");
    return new Redis(redis, options);
  }

  #state(): RedisStatus["state"] {
    if (this.#closed) return "closed";
    const states = this.#connections.map(({ state }) => state.kind);
    if (states.every((state) => state === "ready")) return "ready";
    if (states.some((state) => state === "lost")) return "degraded";
    return this.#connections.some((connection) => connection.status().error !== undefined) ? "degraded" : "connecting";
  }
}
