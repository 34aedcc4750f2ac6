/** One `maxRequestsInFlight`, as it is now. Plain JSON. */
export interface InFlightStatus {
  /** Whose it is; neither: that of all that have no other. */
  readonly route?: string;
  readonly backend?: string;
  /** So many may be in flight: the one of the options, or what an adaptive one has come to. */
  readonly limit: number;
  readonly adaptive: boolean;
  readonly inFlight: number;
  /** Requests that wait for one of them to end. */
  readonly waiting: number;
}
