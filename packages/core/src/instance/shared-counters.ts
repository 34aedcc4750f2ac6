import type { CounterReading } from "../hub/counters.ts";
import { Operation } from "../hub/requests.ts";
import { OptionError } from "../model/errors.ts";
import { workerHub } from "../worker/hub-access.ts";
import { checkHubName } from "./hub-channels.ts";

/**
 * Counters that all instances share, exactly: they are in the primary. Each counts for a fixed window of time, which
 * begins with the first `add`, and is gone when the window ends. At most 200,000 of all names together; beyond that, those
 * whose window ends first go first.
 *
 * Promises reject with a {@link HubError}: `LB_HUB_NO_INSTANCE` in a process that is no instance, `LB_HUB_LOST` when the
 * primary is gone, `LB_HUB_CUT`, `LB_HUB_BACKLOG` or `LB_HUB_TIMEOUT` when it does not answer.
 */
export interface SharedCounters {
  /** Counts `amount`, and says what it comes to and when the window ends. `windowMs` is of use to the first one alone. */
  add(key: string, amount: number, windowMs: number): Promise<CounterReading>;
  /** `undefined`: nothing is counted under this key now. */
  get(key: string): Promise<CounterReading | undefined>;
  /** Whether there was one. */
  delete(key: string): Promise<boolean>;
}

/**
 * The counters of that name. It may be called anywhere, also before `cluster()`; its methods work in the instances.
 *
 * @throws OptionError for a name that is empty or has more than 1,024 bytes
 */
export function sharedCounters(name: string): SharedCounters {
  checkHubName("name", name);
  const ask = async (operation: number, key: string, numbers: readonly number[] = []) => {
    checkHubName("key", key);
    return workerHub("sharedCounters()").request(operation, numbers, `${name}\0${key}`);
  };
  const reading = ([total, resetMs]: readonly number[]): CounterReading => ({ total: total!, resetMs: resetMs! });
  return {
    async add(key, amount, windowMs) {
      if (!Number.isFinite(amount)) throw new OptionError("amount", amount, "give a finite number");
      if (!(windowMs > 0 && windowMs < Number.POSITIVE_INFINITY)) {
        throw new OptionError("windowMs", windowMs, "give milliseconds, more than 0");
      }
      return reading((await ask(Operation.counterAdd, key, [amount, windowMs])).numbers(2));
    },
    async get(key) {
      const reply = await ask(Operation.counterGet, key);
      return reply.found ? reading(reply.numbers(2)) : undefined;
    },
    async delete(key) {
      return (await ask(Operation.counterDelete, key)).found;
    },
  };
}
