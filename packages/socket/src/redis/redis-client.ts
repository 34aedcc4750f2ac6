/** A command on its way to Redis, as ioredis passes it around. */
export interface RedisCommand {
  readonly name: string;
  readonly args: readonly (string | Buffer)[];
  readonly promise: Promise<unknown>;
  reject(error: Error): void;
}

/** An ioredis client, as far as it is needed here: its types are not asked of those who do without Redis. */
export interface RedisClient {
  /** `"ready"` when commands are answered. */
  readonly status: string;
  readonly isCluster?: boolean;
  readonly options: object;
  duplicate(override?: object): RedisClient;
  // biome-ignore lint/suspicious/noExplicitAny: what events carry is different for each of them
  on(event: string, listener: (...args: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: string, listener: (...args: any[]) => void): unknown;
  disconnect(reconnect?: boolean): void;
}

/** The part that only this package uses, of clients that are its own. */
export interface OwnRedisClient extends RedisClient {
  sendCommand(command: RedisCommand, stream?: unknown): Promise<unknown>;
  quit(): Promise<unknown>;
  ping(): Promise<unknown>;
  xread(...args: unknown[]): Promise<unknown>;
  xrevrange(stream: string, from: string, to: string, ...rest: unknown[]): Promise<[id: string, fields: string[]][]>;
}

export type RedisConstructor = new (url: string, options: object) => OwnRedisClient;
