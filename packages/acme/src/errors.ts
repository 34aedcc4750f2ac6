import { LbError } from "@lb/core";

/** Why a certificate did not come. */
export interface AcmeErrorOptions extends ErrorOptions {
  /** What the authority calls it, e.g. `"rateLimited"` (RFC 8555 §6.7). */
  readonly type?: string | undefined;
  /** How long the authority asks us to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * - `LB_ACME_UNREACHABLE`: the authority did not answer;
 * - `LB_ACME_ANSWER`: it answered what is not of its protocol;
 * - `LB_ACME_RATE_LIMITED`: it wants fewer requests;
 * - `LB_ACME_REFUSED`: it refused, for another reason;
 * - `LB_ACME_ACCOUNT`: it does not serve this account;
 * - `LB_ACME_CHALLENGE`: a name could not be proved;
 * - `LB_ACME_TIMEOUT`: it took too long;
 * - `LB_ACME_STORAGE`: what it gave, or the account, cannot be kept or read.
 */
export class AcmeError extends LbError {
  readonly type: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, { type, retryAfterMs, ...options }: AcmeErrorOptions = {}) {
    super(code, message, options);
    this.type = type;
    this.retryAfterMs = retryAfterMs;
  }
}
