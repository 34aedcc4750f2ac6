export interface AnswerOptions {
  readonly retryAfterSeconds?: number;
  /** The request was HEAD. */
  readonly head?: boolean;
}
