/** A request that took long, and when what happened: milliseconds since its head was complete. Plain JSON. */
export interface SlowRequest {
  /** When its head was complete, in milliseconds since 1970-01-01 UTC. */
  readonly at: number;
  readonly method: string;
  /** Its path; what is asked for behind it may be secret. */
  readonly path: string;
  readonly route: string;
  /** `null`: the client got none. */
  readonly status: number | null;
  readonly answeredBy: "app" | "front" | "nobody";
  readonly end: "complete" | "tunnel" | "cut" | "client-left";
  readonly attempts: number;
  /** Which instance answered last, as `2` or `py:2`, or which URL of a backend. `null`: none was asked. */
  readonly instance: string | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** How much of the time it waited for its turn. */
  readonly queuedMs: number;
  /** The instance was found, in the last attempt; `null` where none was. */
  readonly leasedMs: number | null;
  /** The head of the response; `null`: there was none. */
  readonly respondedMs: number | null;
  readonly endedMs: number;
}

/** The slowest requests that ended in a while. Plain JSON. */
export interface SlowRequests {
  readonly ms: number;
  /** Of all that ended meanwhile. */
  readonly requests: number;
  /** The slowest first. */
  readonly slowest: readonly SlowRequest[];
}
