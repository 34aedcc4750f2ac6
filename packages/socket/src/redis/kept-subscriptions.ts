import type { OwnRedisClient, RedisCommand } from "./redis-client.ts";

const subscribing = new Map([
  ["subscribe", "unsubscribe"],
  ["psubscribe", "punsubscribe"],
  ["ssubscribe", "sunsubscribe"],
]);
const unsubscribing = new Map([...subscribing].map(([begin, end]) => [end, begin]));
const messages = new Set(["messageBuffer", "pmessageBuffer", "smessageBuffer"]);

interface SubscriptionCommand extends RedisCommand {
  resolve(result: unknown): void;
}

type SubscribingClient = OwnRedisClient & Record<string, (channel: string) => Promise<unknown>>;

/**
 * Makes `client` keep its subscriptions through everything: they are noted here, and made whenever a connection is
 * ready, the first one included. (ioredis gives up those that were asked for before, when a login fails, and queues
 * without bound.) What a message does wrong to its listener is told to `failed` and ends nothing.
 */
export function keepSubscriptions(client: OwnRedisClient, failed: (error: Error) => void): void {
  const kept = new Map<string, Set<string>>([...subscribing.keys()].map((name) => [name, new Set()]));
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    const begins = subscribing.has(command.name);
    const ends = unsubscribing.get(command.name);
    if (!begins && ends === undefined) return send(command, stream);
    command.promise.catch(failed);
    const channels = command.args.map(String);
    for (const channel of channels) {
      if (begins) kept.get(command.name)!.add(channel);
      else kept.get(ends!)!.delete(channel);
    }
    if (client.status === "ready") return send(command, stream);
    (command as SubscriptionCommand).resolve(channels.length);
    return command.promise;
  };
  client.on("ready", () => {
    for (const [name, channels] of kept) {
      // One at a time: in a Redis Cluster channels of one command have to be in one slot.
      for (const channel of channels) void (client as SubscribingClient)[name]!(channel);
    }
  });
  guardListeners(client, failed);
}

/** Listeners for messages may be synchronous or not; whatever they throw goes to `failed`. */
function guardListeners(client: OwnRedisClient, failed: (error: Error) => void): void {
  type Listener = (...args: unknown[]) => unknown;
  const guards = new WeakMap<Listener, Listener>();
  const { on, off } = client;
  const guarded = (listener: Listener): Listener => {
    let guard = guards.get(listener);
    if (guard === undefined) {
      guard = async (...args) => {
        try {
          await listener(...args);
        } catch (error) {
          failed(error as Error);
        }
      };
      guards.set(listener, guard);
    }
    return guard;
  };
  client.on = (event, listener) => on.call(client, event, messages.has(event) ? guarded(listener) : listener);
  client.off = (event, listener) => off.call(client, event, messages.has(event) ? guarded(listener) : listener);
}
