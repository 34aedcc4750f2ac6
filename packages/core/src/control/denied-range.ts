/** Addresses that are kept out, as `lb deny` shows them. */
export interface DeniedRange {
  /** `"203.0.113.0/24"`, or one address. */
  readonly range: string;
  /** How long for; `null`: for good. */
  readonly leftMs: number | null;
  /** Programs of this machine are among them, such as a health check or a proxy beside the cluster. */
  readonly loopback: boolean;
}
