import type { Clock } from "@lb/core";
import { callback, milliseconds, occasionalWarnings, options, parseOptions, wholeNumber } from "@lb/core/kit";
import * as v from "valibot";

/** Options of {@link createIpcAdapter}. */
export interface IpcAdapterOptions {
  /**
   * Socket.IO servers of the same name find each other. Give each its own where a process has several. Default
   * `"socket.io"`.
   */
  readonly name?: string;
  /**
   * How long `fetchSockets()` and `serverSideEmit()` wait for another instance that lives and says nothing, in
   * milliseconds. Default 5,000.
   */
  readonly requestTimeoutMs?: number;
  /**
   * What is kept for clients that come back, with Socket.IO's option `connectionStateRecovery`: at most so many messages
   * of a namespace, and so many bytes, for `maxDisconnectionDuration`. Default 10,000 messages and 16 MiB.
   */
  readonly recovery?: { readonly maxEntries?: number; readonly maxBytes?: number };
  /**
   * Told what kept a message from other instances, such as a primary that does not read. Local clients got it all the
   * same. Default: `process.emitWarning`, for each kind of error at most once a minute.
   */
  readonly onError?: (error: Error) => void;
}

/** {@link IpcAdapterOptions}, checked and completed. */
export interface IpcAdapterSettings {
  readonly name: string;
  readonly requestTimeoutMs: number;
  readonly retention: { readonly maxEntries: number; readonly maxBytes: number };
  readonly onError: (error: Error) => void;
}

const schema = options({
  name: v.optional(v.pipe(v.string("give a name"), v.nonEmpty("give a name")), "socket.io"),
  requestTimeoutMs: v.optional(milliseconds(1), 5_000),
  recovery: v.optional(
    options({
      maxEntries: v.optional(wholeNumber(1, 1_000_000), 10_000),
      maxBytes: v.optional(wholeNumber(1, 32_505_856), 16_777_216),
    }),
    {},
  ),
  onError: v.optional(callback<(error: Error) => void>("give a function")),
});

/** @throws OptionError for the first option that cannot be used */
export function parseIpcAdapterOptions(input: unknown, clock: Clock): IpcAdapterSettings {
  const { name, requestTimeoutMs, recovery, onError = occasionalWarnings(clock) } = parseOptions(schema, input);
  return { name, requestTimeoutMs, retention: recovery, onError };
}
