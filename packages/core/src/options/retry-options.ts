import * as v from "valibot";
import { defaultRetry, type RetryCause, type RetrySettings, retryCauses } from "../model/retry-policy.ts";
import { milliseconds, offOr, options, wholeNumber } from "./validation.ts";

const causesRemedy = `use ${retryCauses.join(", ")}`;
const cause = v.custom<RetryCause>((value) => retryCauses.includes(value as RetryCause), causesRemedy);

/** {@link RetrySettings} as a user writes them, or `false`: nothing is tried again. */
export const retrySchema = v.pipe(
  offOr(
    options({
      attempts: v.optional(wholeNumber(1, 100), defaultRetry.attempts),
      windowMs: v.optional(milliseconds(0), defaultRetry.windowMs),
      on: v.optional(v.pipe(v.array(cause, "give a list of causes"), v.readonly()), defaultRetry.on),
      maxBodyBytes: v.optional(wholeNumber(0, 67_108_864), defaultRetry.maxBodyBytes),
    }),
  ),
  v.transform((given): RetrySettings => (given === false ? never : given)),
);

/** What an endpoint got nothing of is no attempt, and goes elsewhere. */
const never: RetrySettings = Object.freeze({ ...defaultRetry, attempts: 1 });
