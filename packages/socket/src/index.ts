export type { AnyServer } from "./any-server.ts";
export { MissingPackageError } from "./errors.ts";
export { createIpcAdapter } from "./ipc-adapter/create-ipc-adapter.ts";
export type { IpcAdapterOptions } from "./ipc-adapter/ipc-adapter-options.ts";
export type { DrainOptions, SetupWorkerOptions } from "./options.ts";
export type { RedisClient } from "./redis/redis-client.ts";
export type { RedisConnectionStatus, RedisRole } from "./redis/redis-connection.ts";
export type { RedisStatus } from "./redis/redis-link.ts";
export { type SocketWorker, type SocketWorkerStatus, setupWorker } from "./setup-worker.ts";
