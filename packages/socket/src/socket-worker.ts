import { type Clock, type CurrentInstance, LbError, onDrain } from "@lb/core";
import { drainAtPace, type EngineSessions, noteRedis, systemRandom } from "@lb/core/kit";
import type { Namespace } from "socket.io";
import type { AnyServer } from "./any-server.ts";
import { createIpcAdapter } from "./ipc-adapter/create-ipc-adapter.ts";
import { IpcAdapter } from "./ipc-adapter/ipc-adapter.ts";
import type { SetupWorkerSettings } from "./options.ts";
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

/** What is done to a server. */
export interface WorkerParts {
  readonly settings: SetupWorkerSettings;
  /** Undefined: this process is none. */
  readonly instance: CurrentInstance | undefined;
  /** The app asked for it; else it is to see nothing of us in what is its own. */
  readonly asked: boolean;
  /** The adapter that the server has is to stay. */
  readonly keepsAdapter: boolean;
  readonly clock: Clock;
}

export class ServerWorker implements SocketWorker {
  readonly #io: AnyServer;
  readonly #adapter: SocketWorkerStatus["adapter"];
  /** Sockets are told that they are served by it. */
  readonly #notes: CurrentInstance | undefined;
  readonly asked: boolean;
  readonly #redis: RedisLink | undefined;
  readonly #stopDraining: () => void = () => {};
  readonly #rebalancing: Rebalancing | undefined;
  #told: RedisStatus["state"] = "connecting";

  constructor(io: AnyServer, { settings, instance, asked, keepsAdapter, clock }: WorkerParts) {
    this.#io = io;
    this.asked = asked;
    this.#notes = asked ? instance : undefined;
    const { redis, drainSpreadMs, movedPerSecond } = settings;
    if (redis !== undefined) {
      this.#adapter = redis.kind === "pub-sub" ? "redis" : `redis-${redis.kind}`;
      this.#redis = new RedisLink({
        redis: redis.client,
        kind: redis.kind,
        prefix: redis.prefix,
        owner: `${instance === undefined ? "" : `${instance.id}-`}${process.pid}`,
        clock,
        changed: () => {
          this.#noteRedis();
          this.#tell(settings.onRedisStatus);
        },
      });
      this.#noteRedis();
      this.#useAdapter((namespace) => this.#redis!.adapterOf(namespace));
    } else {
      this.#adapter = instance !== undefined && !keepsAdapter && this.#useIpc(settings) ? "ipc" : "none";
    }
    if (instance?.sessionPrefix !== undefined) prefixSessionIdsOf(io, instance.sessionPrefix);
    if (instance !== undefined && drainSpreadMs !== undefined) {
      this.#stopDraining = onDrain(({ graceMs }) =>
        drainAtPace(
          { sessions: () => this.#sessions(), spreadMs: drainSpreadMs, graceMs },
          { clock, random: systemRandom },
        ),
      );
    }
    if (instance !== undefined && movedPerSecond !== undefined) {
      const sessions = () => this.#sessions();
      this.#rebalancing = ifInstance(() => new Rebalancing({ sessions, perSecond: movedPerSecond, clock }));
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

  /** The app sets the server up itself: nothing of ours stays in its way. */
  yield(): void {
    void this.close();
    if (this.#adapter !== "ipc") return;
    for (const { adapter } of this.#io._nsps.values()) if (adapter instanceof IpcAdapter) adapter.close();
  }

  async close(): Promise<void> {
    this.#stopDraining();
    this.#rebalancing?.close();
    await this.#redis?.close();
  }

  /** For the primary's alerts. */
  #noteRedis(): void {
    const state = this.#redis?.status().state;
    noteRedis(this, state === "closed" ? undefined : state);
  }

  /** False: this is no instance. */
  #useIpc({ ipc }: SetupWorkerSettings): boolean {
    const Adapter = createIpcAdapter(ipc);
    const before = this.#io.adapter()!;
    const used = ifInstance(() => {
      this.#useAdapter((namespace) => new Adapter(namespace));
      return true;
    });
    if (used === undefined) this.#io.adapter(before);
    return used ?? false;
  }

  /** Socket.IO makes adapters for all namespaces there are and for those to come. */
  #useAdapter(adapterOf: AdapterOf): void {
    const instance = this.#notes;
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
