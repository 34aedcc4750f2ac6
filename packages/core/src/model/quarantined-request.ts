/** Requests like this one ended the instances that they got to, and are kept from them. Plain JSON. */
export interface QuarantinedRequest {
  readonly method: string;
  /** Host and path. Its query, which decides too, is not told: secrets may stand there. */
  readonly url: string;
  /** So many instances died while they had it. */
  readonly deaths: number;
  /** For so long those like it are refused, or isolated. */
  readonly forMs: number;
}
