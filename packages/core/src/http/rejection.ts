/** An answer the front gives instead of relaying. */
export interface Rejection {
  readonly kind: "rejection";
  readonly status: 400 | 405 | 408 | 413 | 414 | 417 | 426 | 429 | 431 | 501 | 503 | 505;
  /** Stable, e.g. `"http.bare-lf"`. */
  readonly code: string;
  /** One sentence for the log; never echoes input. */
  readonly detail: string;
}

/** Why a response is not relayed; the client gets 502. */
export interface BadResponse {
  readonly kind: "bad-response";
  /** Stable, e.g. `"http.bare-lf"`. */
  readonly code: string;
  /** One sentence for the log; never echoes input. */
  readonly detail: string;
}
