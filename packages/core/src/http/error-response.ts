export interface ErrorResponseOptions {
  readonly retryAfterSeconds?: number;
  /** Default false: the answer carries `Connection: close`. */
  readonly keepAlive?: boolean;
  /** The request was HEAD: no body. */
  readonly head?: boolean;
}

export function errorResponse(_status: number, _options?: ErrorResponseOptions): Buffer {
  throw new Error("being written");
}
