/** Files or PEM of the options; a certificate authority that was asked (ACME); the one that is this user's own. */
export type CertificateSource = "options" | "acme" | "localhost";

/** What is told of a certificate. */
export interface CertificateFacts {
  /** Hosts and addresses that it is for. */
  readonly names: readonly string[];
  /** Of the wall clock, in milliseconds: it is good from the one to the other. */
  readonly validFrom: number;
  readonly expiresAt: number;
  /** Who has signed it, as that one is called there. */
  readonly issuer: string;
  readonly source: CertificateSource;
  /** What clients may not like of it or its chain; undefined: nothing that can be told here. */
  readonly problem: string | undefined;
}
