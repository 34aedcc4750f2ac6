import * as v from "valibot";
import { defaultRetry, type RetryCause, type RetrySettings, retryCauses } from "../model/retry-policy.ts";
import { type EntriesOf, option } from "./option.ts";
import { milliseconds, offOr, options, wholeNumber } from "./validation.ts";

const causesRemedy = `use ${retryCauses.join(", ")}`;
const cause = v.custom<RetryCause>((value) => retryCauses.includes(value as RetryCause), causesRemedy);

/** {@link RetrySettings} as a user writes them, or `false`: nothing is tried again. */
export const retrySchema = v.pipe(
  offOr(
    options({
      attempts: option(wholeNumber(1, 100), defaultRetry.attempts, "altogether"),
      windowMs: option(
        milliseconds(0),
        defaultRetry.windowMs,
        "no retry is begun later than this after the request came",
      ),
      on: option(
        v.pipe(v.array(cause, "give a list of causes"), v.readonly()),
        defaultRetry.on,
        'also `"timeout"`, `"invalid-response"`, `500`',
      ),
      maxBodyBytes: option(
        wholeNumber(0, 67_108_864),
        defaultRetry.maxBodyBytes,
        "a longer body makes its request unrepeatable",
      ),
    } satisfies EntriesOf<RetrySettings>),
  ),
  v.transform((given): RetrySettings => (given === false ? never : given)),
);

/** What an endpoint got nothing of is no attempt, and goes elsewhere. */
const never: RetrySettings = Object.freeze({ ...defaultRetry, attempts: 1 });
