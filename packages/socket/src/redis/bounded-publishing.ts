import type { Clock } from "@lb/core";
import type { OwnRedisClient, RedisCommand } from "./redis-client.ts";

/** While a connection comes up, or is gone for a moment, commands wait; after this time they fail at once. In ms. */
const waitMs = 2_000;
/** What commands that are on their way or waiting may hold in memory; those beyond fail at once. */
const maxHeldBytes = 64 * 2 ** 20;
/** What a command holds besides its arguments: itself, its promise, its timer and its place in two queues. */
const commandBytes = 4_096;

/** What ioredis says of a command whose answer is late. */
const timedOut = "Command timed out";

/** What ioredis sends itself while it connects. */
const handshake = new Set(["auth", "client", "hello", "info", "quit", "readonly", "select"]);

/**
 * Makes `client` one that commands can be given to in any state: no rejection goes unhandled (the adapters await few of
 * them; `failed` is told), and what cannot be sent fails soon instead of piling up. Nothing is sent twice: what was on its way when the
 * connection went away has failed, since Redis may have carried it out.
 */
export function boundPublishing(client: OwnRedisClient, failed: (error: Error) => void, clock: Clock): void {
  const send = client.sendCommand.bind(client);
  const outstanding = new Set<RedisCommand>();
  let heldBytes = 0;
  /** Of those that timed out: ioredis keeps them until the answer comes, or the connection goes. */
  let abandonedBytes = 0;
  const release = (bytes: number) => {
    // Answers come in order: with this one, all of those that had timed out have come.
    heldBytes -= bytes + abandonedBytes;
    abandonedBytes = 0;
  };
  let unreachableSince: number | undefined = clock.now();
  client.on("ready", () => {
    unreachableSince = undefined;
  });
  client.on("close", () => {
    unreachableSince ??= clock.now();
    release(0);
    for (const command of outstanding) command.reject(new Error("The connection to Redis was lost"));
  });
  client.sendCommand = (command, stream) => {
    if (handshake.has(command.name)) return send(command, stream);
    const tooLate = unreachableSince !== undefined && clock.now() - unreachableSince > waitMs;
    // ioredis sends those that waited again, through here.
    if (outstanding.has(command)) return send(command, stream);
    if (tooLate || heldBytes >= maxHeldBytes) {
      command.reject(new Error(tooLate ? "Redis cannot be reached" : "Redis does not keep up"));
      command.promise.catch(failed);
      return command.promise;
    }
    const bytes = sizeOf(command);
    outstanding.add(command);
    heldBytes += bytes;
    command.promise.then(
      () => {
        outstanding.delete(command);
        release(bytes);
      },
      (error: Error) => {
        outstanding.delete(command);
        if (error.message === timedOut) abandonedBytes += bytes;
        else release(bytes);
        failed(error);
      },
    );
    return send(command, stream);
  };
}

function sizeOf({ args }: RedisCommand): number {
  let bytes = commandBytes;
  for (const argument of args) bytes += argument.length;
  return bytes;
}
