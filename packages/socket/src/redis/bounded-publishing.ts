import type { OwnRedisClient, RedisCommand } from "./redis-client.ts";

/** While a connection comes up, or is gone for a moment, commands wait; after this time they fail at once. In ms. */
const waitMs = 2_000;
/** Commands that may be on their way or waiting; those beyond fail at once. */
const maxOutstanding = 10_000;

/** What ioredis sends itself while it connects. */
const handshake = new Set(["auth", "client", "hello", "info", "quit", "readonly", "select"]);

/**
 * Makes `client` one that commands can be given to in any state: no rejection goes unhandled (the adapters await few of
 * them), and what cannot be sent fails soon instead of piling up. Nothing is sent twice: what was on its way when the
 * connection went away has failed, since Redis may have carried it out.
 */
export function boundPublishing(client: OwnRedisClient, now: () => number = () => performance.now()): void {
  const send = client.sendCommand.bind(client);
  const outstanding = new Set<RedisCommand>();
  let unreachableSince: number | undefined = now();
  client.on("ready", () => {
    unreachableSince = undefined;
  });
  client.on("close", () => {
    unreachableSince ??= now();
    for (const command of outstanding) command.reject(new Error("The connection to Redis was lost"));
  });
  client.sendCommand = (command, stream) => {
    if (handshake.has(command.name)) return send(command, stream);
    const tooLate = unreachableSince !== undefined && now() - unreachableSince > waitMs;
    const isNew = !outstanding.has(command);
    if (isNew && (tooLate || outstanding.size >= maxOutstanding)) {
      command.reject(new Error(tooLate ? "Redis cannot be reached" : "Redis does not keep up"));
      command.promise.catch(() => {});
      return command.promise;
    }
    if (isNew) {
      outstanding.add(command);
      const settled = () => outstanding.delete(command);
      command.promise.then(settled, settled);
    }
    return send(command, stream);
  };
}
