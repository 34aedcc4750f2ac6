import { type EntriesOf, option } from "./option.ts";
import { milliseconds, options, wholeNumber } from "./validation.ts";

/** Where requests wait that nobody can take at the moment. */
export interface WaitQueueSettings {
  /** Requests that may wait at once; one more is answered 503. 0: none waits. Default 1,024. */
  readonly maxWaiting: number;
  /** Milliseconds after which a waiting request is answered 503. HAProxy `timeout queue`. Default 5,000. */
  readonly maxWaitMs: number;
}

/**
 * Five seconds outlast the replacement of a crashed worker and stay below the patience of most clients (HAProxy's
 * `timeout queue` is commonly 5 s too). A thousand waiting requests cost a few megabytes and are served in a moment;
 * a longer queue would only turn refusals into timeouts.
 */
export const queueSchema = options({
  maxWaiting: option(wholeNumber(0), 1_024, "so many wait at once; one more is 503, and 0: none waits", {
    flag: { name: "--max-waiting <n>", group: "What may pass", help: "requests that wait while no instance takes any" },
  }),
  maxWaitMs: option(milliseconds(0), 5_000, "who has waited so long is 503", {
    flag: { name: "--max-wait <time>", group: "What may pass", help: "until a waiting request is answered 503" },
  }),
} satisfies EntriesOf<WaitQueueSettings>);
