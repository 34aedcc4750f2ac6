import { defaultHttpLimits, type HttpLimits } from "../http/limits.ts";
import { defaultRetry, type RetrySettings } from "../model/retry-policy.ts";

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

export interface FrontSettings {
  /** Address the public port listens on. */
  readonly host: string;
  /** The public port; 0 asks the system for one. */
  readonly port: number;
  /** Adds `X-Backend-Server: host:port` to each response. */
  readonly backendHeader: boolean;
  /** Whether the peer with this address may set forwarding headers. */
  readonly trustsPeer: (address: string) => boolean;
  readonly http: HttpLimits;
  readonly timeouts: TimeoutSettings;
  readonly retry: RetrySettings;
  /**
   * The system numbers descriptors from the lowest that is free: a connection with this number or one above finds the table
   * nearly full, and is answered 503 and closed, so that what else this process has to open can be opened.
   */
  readonly maxDescriptor: number;
  /** Open client connections; one more is answered 503 and closed. */
  readonly maxConnections: number;
  /** Open connections of one client address; one more is answered 429 and closed. Default unlimited. */
  readonly maxConnectionsPerAddress: number;
  /** 1xx responses passed on for one request; one more makes the response a 502. Default 16. */
  readonly maxInterimResponses: number;
  /** Hosts that requests may name, in lower case and without port; others get 421. Absent: any. */
  readonly allowedHosts?: ReadonlySet<string>;
  /** Origins a WebSocket may be opened from, e.g. `"https://app.example"`; others get 403. Absent: any. */
  readonly allowedOrigins?: ReadonlySet<string>;
}

export const defaultTimeouts: TimeoutSettings = {
  headersMs: 10_000,
  bodyIdleMs: 30_000,
  keepAliveMs: 60_000,
  responseMs: 60_000,
  responseIdleMs: 60_000,
  writeIdleMs: 30_000,
  tunnelMs: 3_600_000,
  lingerMs: 2_000,
};

export const defaultFrontSettings: Omit<FrontSettings, "host" | "port" | "maxConnections"> = {
  backendHeader: false,
  trustsPeer: () => false,
  http: defaultHttpLimits,
  timeouts: defaultTimeouts,
  retry: defaultRetry,
  maxDescriptor: Number.POSITIVE_INFINITY,
  maxConnectionsPerAddress: Number.POSITIVE_INFINITY,
  maxInterimResponses: 16,
};
