import * as v from "valibot";
import { type EntriesOf, option, required } from "./option.ts";
import { milliseconds, options } from "./validation.ts";

/** What every new instance has to answer before the old ones are let go. */
export interface ReloadCheckOptions {
  /** Asked for by GET. */
  readonly path: string;
  /** The status, a text that the body has to hold, or both: `{ status: 200, body: "ok" }`. Default: any status from 200 to 399. */
  readonly expect?: number | string | { readonly status?: number; readonly body?: string };
  /** How long each has to answer so, in milliseconds; until then it is asked again. Default 10,000. */
  readonly withinMs?: number;
}

const expectRemedy = "give a status, a text that the body holds, or { status, body }";
const status = v.pipe(v.number(expectRemedy), v.integer(expectRemedy), v.minValue(100, expectRemedy));
const body = v.pipe(v.string(expectRemedy), v.nonEmpty(expectRemedy));

export const reloadCheckSchema = options({
  path: required(
    v.pipe(
      v.string('give a path, e.g. "/health"'),
      v.regex(/^\/[\x21-\x7e]*$/, 'give a path that begins with "/" and has no spaces, e.g. "/health"'),
    ),
    "asked for by GET",
  ),
  expect: option(
    v.pipe(
      v.union([status, body, v.strictObject({ status: v.optional(status), body: v.optional(body) })], expectRemedy),
      v.transform((given): ExpectedAnswer => {
        if (typeof given === "number") return { status: given };
        return typeof given === "string" ? { body: given } : given;
      }),
    ),
    {},
    "the status, a text that the body has to hold, or `{ status, body }`",
    { otherwise: "a status from 200 to 399" },
  ),
  withinMs: option(milliseconds(1), 10_000, "how long each instance has to answer so; until then it is asked again"),
} satisfies EntriesOf<ReloadCheckOptions>);

export interface ExpectedAnswer {
  readonly status?: number | undefined;
  readonly body?: string | undefined;
}

/** {@link ReloadCheckOptions}, checked and completed. */
export type ReloadCheckSettings = v.InferOutput<typeof reloadCheckSchema>;
