export { OptionError } from "@lb/core";
export type { AnyServer } from "./any-server.ts";
export { MissingPackageError } from "./errors.ts";
export type { DrainOptions, SetupWorkerOptions } from "./options.ts";
export type { RedisClient } from "./redis/redis-client.ts";
export type { RedisConnectionStatus, RedisRole } from "./redis/redis-connection.ts";
export type { RedisStatus } from "./redis/redis-link.ts";
export { type SocketWorker, type SocketWorkerStatus, setupWorker } from "./setup-worker.ts";
