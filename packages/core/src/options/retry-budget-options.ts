import { type EntriesOf, option } from "./option.ts";
import { milliseconds, options, positiveNumber, wholeNumber } from "./validation.ts";

/** How many retries all requests together may cost. */
export interface RetryBudgetSettings {
  /** Retries allowed per request made; one for five by default: 0.2. */
  readonly ratio: number;
  /** Retries a second that are allowed in any case, so that quiet services can retry at all. Default 10. */
  readonly minRetriesPerSecond: number;
  /** Milliseconds for which a request or a retry counts. Default 10,000. */
  readonly ttlMs: number;
}

export const retryBudgetSchema = options({
  ratio: option(positiveNumber(), 0.2, "retries for each request made"),
  minRetriesPerSecond: option(wholeNumber(0), 10, "allowed in any case, so that quiet services can retry at all"),
  ttlMs: option(milliseconds(1), 10_000, "how long a request or a retry counts"),
} satisfies EntriesOf<RetryBudgetSettings>);
