/** What a certificate authority is to find here as a proof that a name is ours. Plain data. */
export interface Challenges {
  /** HTTP-01 (RFC 8555 §8.3): what is answered, by token. */
  readonly http: Readonly<Record<string, string>>;
  /** TLS-ALPN-01 (RFC 8737): the certificate that says it, by name. */
  readonly alpn: Readonly<Record<string, IssuedCertificate>>;
}

export const noChallenges: Challenges = Object.freeze({ http: {}, alpn: {} });

/** With the chain behind it, and its key; PEM. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
}
