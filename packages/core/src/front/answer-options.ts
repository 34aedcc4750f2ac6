export interface AnswerOptions {
  readonly retryAfterSeconds?: number;
  /** The request was HEAD. */
  readonly head?: boolean;
  /** Complete header lines that its request wants in the response. */
  readonly lines?: string;
}
