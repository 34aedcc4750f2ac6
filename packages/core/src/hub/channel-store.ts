import type { HubStore } from "./hub-channel.ts";
import { Operation } from "./requests.ts";
import type { WorkerHub } from "./worker-hub.ts";

/** The store of one channel: its keys are its own. */
export function channelStore(name: string, hub: WorkerHub): HubStore {
  const full = (key: string) => `${name}\0${key}`;
  const read = async (operation: number, key: string) => {
    const reply = await hub.request(operation, [], full(key));
    // A copy, since a value of a few bytes would keep all that was read with it.
    return reply.found ? Buffer.from(reply.payload(0)) : undefined;
  };
  return {
    async set(key, value, ttlMs) {
      const keyBytes = Buffer.from(full(key));
      await hub.request(Operation.storeSet, [ttlMs, keyBytes.length], Buffer.concat([keyBytes, value]));
    },
    get: (key) => read(Operation.storeGet, key),
    take: (key) => read(Operation.storeTake, key),
    async replace(key, expected, value, ttlMs) {
      const keyBytes = Buffer.from(full(key));
      const lengths = [ttlMs, keyBytes.length, expected.length];
      const { found } = await hub.request(Operation.storeReplace, lengths, Buffer.concat([keyBytes, expected, value]));
      return found;
    },
  };
}
