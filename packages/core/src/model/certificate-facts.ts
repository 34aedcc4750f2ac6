/** What is told of a certificate. */
export interface CertificateFacts {
  /** Hosts and addresses that it is for. */
  readonly names: readonly string[];
  /** Of the wall clock, in milliseconds. */
  readonly expiresAt: number;
}
