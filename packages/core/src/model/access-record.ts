/**
 * A request that is over, as the access log tells of it. Plain JSON; what is not known, or did not come to pass, is undefined.
 * Texts that a client has sent are as they came: whoever shows them escapes them.
 */
export interface AccessRecord {
  /** When its head was complete: milliseconds since 1970-01-01 UTC. */
  readonly time: number;
  /** By which its lines are found again in other logs; see the option `requestId`. */
  readonly id: string | undefined;
  /** The trace that it is part of, and its span there, whether it is sampled or not; see the option `tracing`. */
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  /** The client's address, or that which a trusted proxy names. */
  readonly client: string;
  /** Which of the public listeners it came in at, counted from 0. */
  readonly listener: number;
  readonly tls: boolean;
  /** What was agreed on, e.g. `TLSv1.3` and `TLS_AES_128_GCM_SHA256`. Undefined: no TLS. */
  readonly tlsVersion: string | undefined;
  readonly tlsCipher: string | undefined;
  /** Undefined, as the next two: what came was no request. */
  readonly method: string | undefined;
  readonly host: string | undefined;
  /** Path and query, with what the settings redact taken out. */
  readonly target: string | undefined;
  readonly protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2.0" | undefined;
  /** That the client got. Undefined: it got none. */
  readonly status: number | undefined;
  /** Heads and framing included. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Spent waiting for an endpoint, or for others of its route to end. */
  readonly queueMs: number | undefined;
  /** From its head until an endpoint was found for the last attempt. */
  readonly leaseMs: number | undefined;
  /** From its head to that of its response. */
  readonly firstByteMs: number | undefined;
  /** From its head to the end of its response; of a tunnel, to its opening. */
  readonly totalMs: number | undefined;
  /** Endpoints that were asked. */
  readonly attempts: number;
  /** The instance that was asked last, 1…N. */
  readonly instance: number | undefined;
  /** In place of it: the endpoint's URL, and the named backend that it is one of. */
  readonly endpoint: string | undefined;
  readonly backend: string | undefined;
  /** The route that it took. */
  readonly route: string | undefined;
  readonly answeredBy: "app" | "front" | "nobody";
  /** Why we have answered in place of the app; docs/observability.md has the words. */
  readonly reason: string | undefined;
  /**
   * - `complete`;
   * - `tunnel`: it became one;
   * - `cut`: the client got the beginning of a response whose end did not come;
   * - `client-left`: before its response was complete;
   * - `no-request`: what came was none, or not all of one in time.
   */
  readonly end: "complete" | "tunnel" | "cut" | "client-left" | "no-request";
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
}

/** In the order in which they stand in a line. */
export const accessFields = Object.keys({
  time: true,
  id: true,
  traceId: true,
  spanId: true,
  client: true,
  listener: true,
  tls: true,
  tlsVersion: true,
  tlsCipher: true,
  method: true,
  host: true,
  target: true,
  protocol: true,
  status: true,
  bytesIn: true,
  bytesOut: true,
  queueMs: true,
  leaseMs: true,
  firstByteMs: true,
  totalMs: true,
  attempts: true,
  instance: true,
  endpoint: true,
  backend: true,
  route: true,
  answeredBy: true,
  reason: true,
  end: true,
  referer: true,
  userAgent: true,
} satisfies Record<keyof AccessRecord, true>) as readonly AccessField[];

export type AccessField = keyof AccessRecord;
