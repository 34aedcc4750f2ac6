/** What the two ends of an encrypted connection have agreed on. */
export interface NegotiatedTls {
  /** As OpenSSL calls it, e.g. `TLSv1.3`. */
  readonly version: string;
  readonly cipher: string;
}
