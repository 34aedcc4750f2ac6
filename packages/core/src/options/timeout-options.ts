import * as v from "valibot";
import { type EntriesOf, option } from "./option.ts";
import { milliseconds, options } from "./validation.ts";

/** All in milliseconds; `Infinity` turns one off. Each is met within 0.15 s. */
export interface TimeoutSettings {
  /** From a connection's or request's first byte to the end of the head; then 408. HAProxy `timeout http-request`. Default 10,000. */
  readonly headersMs: number;
  /** A request body that makes no progress; then 408. Default 30,000. */
  readonly bodyIdleMs: number;
  /** A client that sends nothing between requests, or nothing at all; closed. HAProxy `timeout http-keep-alive`. Default 60,000. */
  readonly keepAliveMs: number;
  /** From the request's end to the response head; then 504. HAProxy `timeout server`. Default 60,000. */
  readonly responseMs: number;
  /** A response body that makes no progress on the endpoint's side; cut. Default 60,000. */
  readonly responseIdleMs: number;
  /** A client that does not read its response; closed. HAProxy `timeout client`. Default 30,000. */
  readonly writeIdleMs: number;
  /** A tunnel (WebSocket) silent in both directions; closed. HAProxy `timeout tunnel`. Default 3,600,000. */
  readonly tunnelMs: number;
  /** For how long bytes are read and dropped after a final answer, so that it is not lost in a reset. Default 2,000. */
  readonly lingerMs: number;
}

/** A time-out, or none. */
export const timeSpan = v.union(
  [v.literal(Number.POSITIVE_INFINITY), milliseconds(1)],
  "give milliseconds of at least 1, or Infinity",
);

export const timeoutSchema = options({
  headersMs: option(timeSpan, 10_000, "from the first byte of a head to its end; 408"),
  bodyIdleMs: option(timeSpan, 30_000, "a request body without progress; 408"),
  keepAliveMs: option(timeSpan, 60_000, "a client that sends nothing between requests, or nothing at all; closed", {
    flag: { name: "--keep-alive-timeout <time>", group: "What may pass", help: "until an idle connection is closed" },
  }),
  responseMs: option(timeSpan, 60_000, "from the request's end to the response head; 504", {
    flag: {
      name: "--response-timeout <time>",
      group: "What may pass",
      help: "until an instance must have begun its answer",
    },
  }),
  responseIdleMs: option(timeSpan, 60_000, "a response without progress on the instance's side; cut"),
  writeIdleMs: option(timeSpan, 30_000, "a client that does not read; closed"),
  tunnelMs: option(timeSpan, 3_600_000, "a WebSocket silent both ways; closed"),
  lingerMs: option(milliseconds(1), 2_000, "how long bytes are read and dropped behind a final answer"),
} satisfies EntriesOf<TimeoutSettings>);
