import * as v from "valibot";
import { type EntriesOf, option } from "./option.ts";
import { milliseconds, offOr, oneOf, options, withEntries } from "./validation.ts";

/** What becomes of requests that end their instances. */
export interface QuarantineOptions {
  /** `"refuse"`: they get 503. `"isolate"`: each has an instance for itself, so that nobody else is harmed. Default `"refuse"`. */
  readonly action?: QuarantineAction;
  /** How long, in milliseconds; twice as long each time that one ends an instance again. Default 60,000. */
  readonly termMs?: number;
}

export type QuarantineAction = "refuse" | "isolate";

/** The option `quarantine` as users write it. */
export type QuarantineOption = QuarantineAction | QuarantineOptions | false;

/** {@link QuarantineOptions}, completed. */
export type QuarantineSettings = Required<QuarantineOptions>;

const actions = ["refuse", "isolate"] as const;

const group = options(
  {
    action: option(oneOf(actions), "refuse", 'they get 503; `"isolate"`: each has an instance for itself'),
    termMs: option(milliseconds(1), 60_000, "how long; twice as long each time that one ends an instance again"),
  } satisfies EntriesOf<QuarantineOptions>,
  'give "refuse", "isolate", false or { action, termMs }',
);

const byAction = v.pipe(
  oneOf(actions),
  v.transform((action): QuarantineSettings => v.parse(group, { action })),
);

export const quarantineSchema = offOr(
  withEntries(
    v.lazy((given) => (typeof given === "string" ? byAction : group)) as unknown as v.GenericSchema<
      QuarantineAction | QuarantineOptions,
      QuarantineSettings
    >,
    group,
  ),
);
