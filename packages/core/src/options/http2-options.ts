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

/**
 * The first versions of Node without a known hole in its HTTP/2 (nodejs/security-wg, vuln/core: CVE-2026-56846 and CVE-2026-56848,
 * July 2026, were the last). Majors that are not here and lie between have reached their end and get no more mended.
 */
const sound: ReadonlyMap<number, readonly [minor: number, patch: number]> = new Map([
  [22, [23, 2]],
  [24, [18, 1]],
  [26, [5, 1]],
]);

/** Why HTTP/2 is not to be spoken by this version of Node, e.g. `"v24.1.0"`; undefined: nothing is known. */
export function http2Hole(version: string): string | undefined {
  const [major = 0, minor = 0, patch = 0] = version.replace(/^v/, "").split(".").map(Number);
  const first = sound.get(major);
  if (first === undefined) {
    return major > Math.max(...sound.keys())
      ? undefined
      : `Node.js ${version} gets no security fixes any more: ${update}`;
  }
  if (minor > first[0] || (minor === first[0] && patch >= first[1])) return undefined;
  return `the HTTP/2 of Node.js ${version} has known holes: update to ${major}.${first.join(".")} or later`;
}

const update = `update to ${[...sound.keys()].join(", ")} or later`;

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
