import * as v from "valibot";
import { descriptorLimit } from "./descriptor-limit.ts";
import { type InFlightOption, type InFlightSettings, inFlightSchema } from "./in-flight-options.ts";
import { type EntriesOf, option } from "./option.ts";
import { options, wholeNumber } from "./validation.ts";

/** Sizes beyond which a message is refused. Every one bounds memory or work that a single peer can cause. */
export interface HttpLimits {
  /** Request or status line and all header lines with their CRLFs and the blank line. Default 16,384; over it: 431. */
  readonly maxHeadBytes: number;
  /** The request target as received. Default 8,192; over it: 414. */
  readonly maxTargetBytes: number;
  /** Header lines in one head. Default 128; over it: 431. */
  readonly maxHeaders: number;
  /** Payload bytes of one request body, whether declared or chunked. Default Infinity; over it: 413. */
  readonly maxBodyBytes: number;
  /** Chunk extensions of one body together; they are validated and discarded. Default 1,024; over it: 413. */
  readonly maxChunkExtensionBytes: number;
  /** The trailer section of one body. Default 4,096; over it: 431. */
  readonly maxTrailerBytes: number;
}

/** Sizes and numbers beyond which the front refuses. */
export interface LimitOptions extends HttpLimits {
  /**
   * Open client connections; one more is answered 503. Default: nine tenths of the file descriptors that this process
   * may open, less what its workers need; in hand-off mode, where the instances hold the connections, as many for each
   * instance.
   */
  readonly maxConnections: number;
  /** Open connections of one client address; one more is answered 429. Default Infinity. */
  readonly maxConnectionsPerAddress: number;
  /**
   * So many requests at a time, of all that go to endpoints; others wait in `queue`, then 503. `"adaptive"`, or `{ min, max, … }`: as many as are
   * answered in good time. Routes and backends may have their own in its place. In proxy mode. Default: any number.
   */
  readonly maxRequestsInFlight: InFlightOption | undefined;
  /** A request body has to bring so many on average in every 10 seconds; a slower one is answered 408. Default 0: any may come. */
  readonly minBodyBytesPerSecond: number;
  /** 1xx responses passed on for one request; one more makes it a 502. Default 16. */
  readonly maxInterimResponses: number;
}

/** {@link LimitOptions}, checked and completed. */
export type LimitSettings = Omit<LimitOptions, "maxRequestsInFlight"> & {
  readonly maxRequestsInFlight?: InFlightSettings | undefined;
};

const unlimited = Number.POSITIVE_INFINITY;

const orInfinite = <Schema extends v.GenericSchema<number, number>>(schema: Schema) =>
  v.union([v.literal(unlimited), schema], "give a whole number of at least 1, or Infinity");

export const limitSchema = options({
  maxHeadBytes: option(wholeNumber(256, 1_048_576), 16_384, "431"),
  maxTargetBytes: option(wholeNumber(1, 1_048_576), 8_192, "414"),
  maxHeaders: option(wholeNumber(1, 10_000), 128, "431; in a response 502"),
  maxBodyBytes: option(orInfinite(wholeNumber(0)), unlimited, "413, before the body if its length is declared", {
    flag: { name: "--max-body <size>", group: "What may pass", help: "longest request body, e.g. 10M" },
  }),
  maxChunkExtensionBytes: option(wholeNumber(0, 1_048_576), 1_024, "413; it is for all of one body"),
  maxTrailerBytes: option(wholeNumber(0, 1_048_576), 4_096, "431"),
  maxConnections: option(
    orInfinite(wholeNumber(1)),
    defaultMaxConnections,
    "503 with `Retry-After`, closed; event `connections-refused` (`accept-failed` where descriptors end before that)",
    {
      otherwise: "0.9 × descriptor limit − 128; in hand-off mode for each instance",
      flag: {
        name: "--max-connections <n>",
        group: "What may pass",
        help: "open connections",
        fallback: "from the descriptor limit",
      },
    },
  ),
  maxConnectionsPerAddress: option(orInfinite(wholeNumber(1)), unlimited, "429, closed", {
    flag: { name: "--max-connections-per-address <n>", group: "What may pass", help: "those of one client" },
  }),
  maxRequestsInFlight: option(
    inFlightSchema,
    undefined,
    '503 with `Retry-After`, once `queue` is full; a number, `"adaptive"`, or as below; see [limits.md](limits.md)',
    {
      otherwise: "any number",
      flag: {
        name: "--max-in-flight <n>",
        group: "What may pass",
        help: 'requests at a time, or "adaptive": as many as are answered in good time',
      },
    },
  ),
  minBodyBytesPerSecond: option(wholeNumber(0), 0, "408; it is for every 10 seconds of a body, and 0: none"),
  maxInterimResponses: option(wholeNumber(0, 1_000), 16, "502; it is for one request"),
} satisfies EntriesOf<LimitOptions>);

/** Workers, their logs, and whatever the program opens for itself. */
const reservedDescriptors = 128;

function defaultMaxConnections(): number {
  return Math.max(1, Math.floor(descriptorLimit() * 0.9) - reservedDescriptors);
}
