import { type EntriesOf, option } from "./option.ts";
import { milliseconds, options, wholeNumber } from "./validation.ts";

/** What one connection of HTTP/2 may do. */
export interface Http2Settings {
  /** Requests at the same time; one more is refused with REFUSED_STREAM, and may be sent again. Default 100. */
  readonly maxStreams: number;
  /** Requests in all; then the client is told to open another connection. Default 10,000. */
  readonly maxRequests: number;
  /** Milliseconds after which it is told the same, with its next request. Default 3,600,000. */
  readonly maxAgeMs: number;
  /** Bytes of one request body that are taken before an instance reads them. Default 262,144. */
  readonly windowBytes: number;
  /**
   * Requests a second that the client gives up or spoils before they are answered, ten times as many at once; beyond that the
   * connection is ended. Default 50.
   */
  readonly maxResetsPerSecond: number;
  /** PING and SETTINGS frames a second, ten times as many at once; beyond that the connection is ended. Default 20. */
  readonly maxControlFramesPerSecond: number;
}

export const http2Schema = options({
  maxStreams: option(wholeNumber(1, 10_000), 100, "requests at the same time; one more is refused (`REFUSED_STREAM`)"),
  maxRequests: option(wholeNumber(1), 10_000, "requests of one connection; then GOAWAY, and the client opens another"),
  maxAgeMs: option(milliseconds(1_000), 3_600_000, "how old a connection gets; then the same"),
  windowBytes: option(
    wholeNumber(65_535, 16_777_216),
    262_144,
    "of each request body, taken before an instance reads it; more is faster over long distances",
  ),
  maxResetsPerSecond: option(
    wholeNumber(1),
    50,
    "requests given up or spoilt by the client, ten times as many at once; beyond that GOAWAY, closed",
  ),
  maxControlFramesPerSecond: option(
    wholeNumber(1),
    20,
    "PING and SETTINGS frames, ten times as many at once; beyond that GOAWAY, closed",
  ),
} satisfies EntriesOf<Http2Settings>);
