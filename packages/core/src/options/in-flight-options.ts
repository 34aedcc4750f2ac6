import * as v from "valibot";
import { type EntriesOf, option } from "./option.ts";
import { options, wholeNumber, withEntries } from "./validation.ts";

/** Found out while they run: as many as are answered about as fast as without a load. See docs/limits.md. */
export interface AdaptiveInFlightOptions {
  /** At least so many, however slow they are. Default 1. */
  readonly min?: number | undefined;
  /** At most. Default 1,000. */
  readonly max?: number | undefined;
  /** Where it begins, before anything is known. Default 20. */
  readonly initial?: number | undefined;
  /** So many times as long as without a load they may take. Default 1.5. */
  readonly tolerance?: number | undefined;
}

/** How many requests may be under way at a time. */
export type InFlightOption = number | "adaptive" | AdaptiveInFlightOptions;

/** {@link AdaptiveInFlightOptions}, checked and completed. */
export type AdaptiveInFlightSettings = { readonly [Name in keyof AdaptiveInFlightOptions]-?: number };

/** {@link InFlightOption}, checked and completed. */
export type InFlightSettings = number | AdaptiveInFlightSettings;

const toleranceRemedy = "give a number from 1.1 to 10";

const group = options({
  min: option(wholeNumber(1, 100_000), 1, "at least so many, however slow they are"),
  max: option(wholeNumber(1, 100_000), 1_000, "at most"),
  initial: option(wholeNumber(1, 100_000), 20, "where it begins, before anything is known"),
  tolerance: option(
    v.pipe(v.number(toleranceRemedy), v.minValue(1.1, toleranceRemedy), v.maxValue(10, toleranceRemedy)),
    1.5,
    "so many times as long as without a load they may take",
  ),
} satisfies EntriesOf<AdaptiveInFlightOptions>);

const adaptive = v.pipe(
  group,
  v.check(({ min, max }) => min <= max, "give a max that is not below min"),
  v.transform(
    (given): AdaptiveInFlightSettings => ({
      ...given,
      initial: Math.min(given.max, Math.max(given.min, given.initial)),
    }),
  ),
);

/** The option `maxRequestsInFlight`, wherever it occurs. */
export const inFlightSchema = withEntries(
  v.lazy((given) => {
    if (given === "adaptive") return byDefault;
    return typeof given === "object" && given !== null ? adaptive : fixed;
  }) as unknown as v.GenericSchema<InFlightOption, InFlightSettings>,
  group,
);

const fixed = v.pipe(
  v.number('give a whole number of at least 1, "adaptive", or { min, max, initial, tolerance }'),
  wholeNumber(1),
);
const byDefault = v.pipe(
  v.literal("adaptive"),
  v.transform(() => v.parse(adaptive, {})),
);
