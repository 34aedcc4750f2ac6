import { type CurrentInstance, currentInstance, LbError, OptionError, onDrain } from "@lb/core";
import type { Namespace } from "socket.io";
import type { AnyServer } from "./any-server.ts";
import { drainAtPace, type EngineSessions } from "./drain/paced-drain.ts";
import { createIpcAdapter } from "./ipc-adapter/create-ipc-adapter.ts";
import { parseSetupWorkerOptions, type SetupWorkerOptions, type SetupWorkerSettings } from "./options.ts";
import { Rebalancing } from "./rebalance/rebalancing.ts";
import { type AdapterOf, RedisLink, type RedisStatus } from "./redis/redis-link.ts";
import { prefixSessionIdsOf } from "./session-ids.ts";

export interface SocketWorkerStatus {
  /** How events reach the clients of other instances; `"none"` in a process that is no instance and has no Redis. */
  readonly adapter: "none" | "ipc" | "redis" | "redis-sharded" | "redis-streams";
  /** Sessions on this instance, over whichever transport. */
  readonly sessions: number;
  /** Undefined without Redis. */
  readonly redis: RedisStatus | undefined;
}

/** What `setupWorker` did to a server, for those who want to look at it or to take it back. */
export interface SocketWorker {
  status(): SocketWorkerStatus;
  /**
   * Closes what was opened, the connections to Redis above all. It is called by itself when the HTTP server of `io`
   * closes, which it does at the end of a drain. Idempotent.
   */
  close(): Promise<void>;
}

const done = new WeakSet<AnyServer>();

/**
 * Makes a Socket.IO server one of the instances of a cluster: events reach the clients of all instances, sessions are
 * found again (with `affinity: "socket.io"` in the options of `cluster()`), and when this instance drains, its sockets
 * are closed at a pace. Call it once for each server, before clients connect; before or after `attach`, and before or
 * after namespaces are made. Each socket says who serves it: `socket.data.instance`, from 1.
 *
 * In a process that is no instance only the options for Redis have an effect.
 *
 * @throws OptionError for an option that cannot be used
 * @throws MissingPackageError if an option needs a package that is not installed
 * @throws LbError `LB_ALREADY_SET_UP` for a server that was set up before
 */
export function setupWorker(io: AnyServer, options: SetupWorkerOptions = {}): SocketWorker {
  const settings = parseSetupWorkerOptions(options);
  if (done.has(io))
    throw new LbError("LB_ALREADY_SET_UP", "setupWorker() was called for this server before: call it once.");
  const { redis } = settings;
  if (redis !== undefined && redis.kind !== "streams" && io._opts.connectionStateRecovery !== undefined) {
    const remedy = "what clients missed is kept in a stream only: add streams: true, or do without Redis";
    throw new OptionError("connectionStateRecovery", io._opts.connectionStateRecovery, remedy);
  }
  const worker = new Worker(io, settings, currentInstance());
  done.add(io);
  return worker;
}

class Worker implements SocketWorker {
  readonly #io: AnyServer;
  readonly #adapter: SocketWorkerStatus["adapter"];
  readonly #redis: RedisLink | undefined;
  readonly #stopDraining: () => void = () => {};
  readonly #rebalancing: Rebalancing | undefined;
  #told: RedisStatus["state"] = "connecting";

  constructor(io: AnyServer, settings: SetupWorkerSettings, instance: CurrentInstance | undefined) {
    this.#io = io;
    const { redis, drainSpreadMs, movedPerSecond } = settings;
    if (redis !== undefined) {
      this.#adapter = redis.kind === "pub-sub" ? "redis" : `redis-${redis.kind}`;
      this.#redis = new RedisLink({
        redis: redis.client,
        kind: redis.kind,
        prefix: redis.prefix,
        owner: `${instance === undefined ? "" : `${instance.id}-`}${process.pid}`,
        changed: () => this.#tell(settings.onRedisStatus),
      });
      this.#useAdapter((namespace) => this.#redis!.adapterOf(namespace), instance);
    } else {
      this.#adapter = instance !== undefined && this.#useIpc(settings, instance) ? "ipc" : "none";
    }
    if (instance?.sessionPrefix !== undefined) prefixSessionIdsOf(io, instance.sessionPrefix);
    if (instance !== undefined && drainSpreadMs !== undefined) {
      this.#stopDraining = onDrain(({ graceMs }) =>
        drainAtPace({ sessions: () => this.#sessions(), spreadMs: drainSpreadMs, graceMs }),
      );
    }
    if (instance !== undefined && movedPerSecond !== undefined) {
      const sessions = () => this.#sessions();
      this.#rebalancing = ifInstance(() => new Rebalancing({ sessions, perSecond: movedPerSecond }));
    }
    this.#closeWithServer();
  }

  status(): SocketWorkerStatus {
    return {
      adapter: this.#adapter,
      sessions: this.#sessions()?.clientsCount ?? 0,
      redis: this.#redis?.status(),
    };
  }

  async close(): Promise<void> {
    this.#stopDraining();
    this.#rebalancing?.close();
    await this.#redis?.close();
  }

  /** False: this is no instance. */
  #useIpc({ ipc }: SetupWorkerSettings, instance: CurrentInstance): boolean {
    const Adapter = createIpcAdapter(ipc);
    const before = this.#io.adapter()!;
    const used = ifInstance(() => {
      this.#useAdapter((namespace) => new Adapter(namespace), instance);
      return true;
    });
    if (used === undefined) this.#io.adapter(before);
    return used ?? false;
  }

  /** Socket.IO makes adapters for all namespaces there are and for those to come. */
  #useAdapter(adapterOf: AdapterOf, instance: CurrentInstance | undefined): void {
    // It calls this with `new`, so it cannot be an arrow function.
    function adapterFor(namespace: Namespace) {
      // Before the app's own listeners, which may want to know.
      if (instance !== undefined) {
        namespace.prependListener("connection", (socket) => {
          socket.data.instance = instance.id;
        });
      }
      return adapterOf(namespace as never);
    }
    this.#io.adapter(adapterFor as unknown as Parameters<AnyServer["adapter"]>[0]);
  }

  #sessions(): EngineSessions | undefined {
    return this.#io.engine as unknown as EngineSessions | undefined;
  }

  /** `attach` binds the engine when the HTTP server is known. */
  #closeWithServer(): void {
    const io = this.#io as unknown as { httpServer?: { once(event: "close", listener: () => void): void } };
    const watch = () => void io.httpServer?.once("close", () => void this.close());
    if (io.httpServer !== undefined) {
      watch();
      return;
    }
    const bind = this.#io.bind.bind(this.#io);
    this.#io.bind = (engine) => {
      watch();
      return bind(engine) as never;
    };
  }

  #tell(told: (status: RedisStatus) => void): void {
    const status = this.#redis?.status();
    if (status === undefined || status.state === this.#told) return;
    this.#told = status.state;
    told(status);
  }
}

/** Undefined where this process only looks like an instance, having the environment of one whose child it is. */
function ifInstance<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof LbError && error.code === "LB_HUB_NO_INSTANCE") return undefined;
    throw error;
  }
}
