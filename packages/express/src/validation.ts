import { OptionError, optionsIn } from "@lb/core";
import * as v from "valibot";

/**
 * Checks `input` against `schema`, fills in defaults and freezes the result. The messages of the schema are remedies.
 *
 * @throws OptionError for the first value that cannot be used
 */
export function parseOptions<Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input, { abortEarly: true, abortPipeEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const keys = (issue.path ?? []).map(({ key }) => String(key));
  // What belongs to a misspelt name says nothing, and may be a secret.
  const unknown = issue.type === "strict_object" && issue.expected === "never";
  const value = unknown ? issue.path?.at(-1)?.value : issue.input;
  throw new OptionError(keys.join(".") || "options", value, issue.message, { hidden: unknown });
}

/** An object of named options, frozen; other names are refused. */
export function options<const Entries extends v.ObjectEntries>(entries: Entries) {
  const known = Object.keys(entries);
  // Without a prototype, whatever somebody has put into Object.prototype is no option.
  const named = v.strictObject(Object.assign(Object.create(null), entries) as Entries, (issue) =>
    issue.expected === "never" ? `there is no such option; known are ${known.join(", ")}` : "give an object of options",
  );
  return v.pipe(
    v.custom<v.InferInput<typeof named>>(
      (given) => typeof given === "object" && given !== null,
      "give an object of options",
    ),
    v.transform((given) => optionsIn(given as object, known) as v.InferInput<typeof named>),
    named,
    v.transform((value) => Object.freeze(value)),
  );
}

/** A whole number from `min` to `max`, both included. */
export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER) {
  const remedy = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const message = `give a whole number ${remedy}`;
  return v.pipe(v.number(message), v.safeInteger(message), v.minValue(min, message), v.maxValue(max, message));
}

/** A time span that a timer of Node's can wait for. */
export function milliseconds(min: number) {
  const message = `give milliseconds of at least ${min}`;
  return v.pipe(v.number(message), v.minValue(min, message), v.maxValue(2 ** 31 - 1, message));
}

/** A finite number greater than 0. */
export function positiveNumber() {
  const message = "give a number greater than 0";
  return v.pipe(v.number(message), v.finite(message), v.gtValue(0, message));
}

export function yesOrNo() {
  return v.boolean("give true or false");
}

/** A value that has to be a function; its type is the caller's word. */
export function callback<Call extends (...args: never[]) => unknown>(remedy: string) {
  return v.custom<Call>((value) => typeof value === "function", remedy);
}

/** The name of a header field (RFC 9110 §5.1). */
export function fieldName() {
  const message = 'give the name of a header, e.g. "X-Instance-Id"';
  return v.pipe(v.string(message), v.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, message));
}

/** `false` to leave something out, or what `schema` takes. */
export function offOr<Schema extends v.GenericSchema>(schema: Schema) {
  return v.lazy((input) => (input === false ? OFF : schema)) as unknown as v.GenericSchema<
    v.InferInput<Schema> | false,
    v.InferOutput<Schema> | false
  >;
}

const OFF = v.literal(false);

/** What a header field can hold (RFC 9110 §5.5). */
export function isFieldValue(value: unknown): value is string {
  return typeof value === "string" && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
