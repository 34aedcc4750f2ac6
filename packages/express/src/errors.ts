import { LbError } from "@lb/core";

/** What can become of a request that could not be relayed, by the code of its error. */
const statuses = {
  /** No endpoint takes requests, or none came free in time. */
  LB_UNAVAILABLE: 503,
  /** No connection to an endpoint could be had. */
  LB_UPSTREAM_CONNECT: 502,
  /** The connection to the endpoint broke before a response. */
  LB_UPSTREAM_RESET: 502,
  /** What came back was not HTTP. */
  LB_UPSTREAM_INVALID: 502,
  /** The endpoint let a deadline pass. */
  LB_UPSTREAM_TIMEOUT: 504,
  /** The request cannot be relayed as it is. */
  LB_REQUEST_INVALID: 400,
  /** The request's body has more bytes than `limits.maxBodyBytes`. */
  LB_BODY_TOO_LARGE: 413,
  /** The response's body has more bytes than `onResponse` may hold. */
  LB_RESPONSE_TOO_LARGE: 502,
  /** A method that is not relayed: TRACE. */
  LB_METHOD: 405,
  /** The origin of a WebSocket is not among those allowed. */
  LB_ORIGIN: 403,
  /** A WebSocket of another version than 13. */
  LB_WEBSOCKET_VERSION: 426,
  /** Somebody read the request's body before, and left nothing it could be made from again. */
  LB_BODY_CONSUMED: 500,
  /** A function of the options threw, or returned what cannot be used. */
  LB_RULE: 500,
  /** The instance is about to end. */
  LB_DRAINING: 503,
  LB_RATE_LIMITED: 429,
  /** The store of a rate limit failed: told to its `onError`, and answered where that is to fail closed. */
  LB_RATE_STORE: 503,
  /** Told to `onError`; no request is answered with it. */
  LB_MIRROR: 502,
  LB_CONNECTION_LIMITED: 429,
} as const;

export type GatewayErrorCode = keyof typeof statuses;

/** The words that clients get to see; messages of errors name endpoints, and are not for them. */
const sentences: Readonly<Record<number, string>> = {
  400: "The request cannot be relayed as it is.",
  403: "This origin is not allowed.",
  405: "This method is not allowed.",
  413: "The request's body is too large.",
  426: "WebSocket version 13 is required.",
  429: "Too many requests. Please try again later.",
  500: "The gateway failed at this request.",
  502: "The service behind this gateway gave no valid answer.",
  503: "The service is not available at the moment. Please try again.",
  504: "The service behind this gateway took too long to answer.",
};

/**
 * Why a request was not relayed, or was refused. `status` and `statusCode` are what Express's and Fastify's own error
 * handling goes by.
 */
export class GatewayError extends LbError {
  declare readonly code: GatewayErrorCode;
  readonly status: number;
  readonly statusCode: number;
  /** Whole seconds after which the client may try again, where that is known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: GatewayErrorCode,
    message: string,
    { retryAfterSeconds, ...options }: ErrorOptions & { readonly retryAfterSeconds?: number } = {},
  ) {
    super(code, message, options);
    this.status = statuses[code];
    this.statusCode = this.status;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** What clients are told. */
  get sentence(): string {
    return sentences[this.status]!;
  }
}
