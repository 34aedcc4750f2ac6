import { OptionError, optionsIn } from "@lb/core";
import * as v from "valibot";

/**
 * Checks `input` against `schema` and fills in defaults. The messages of the schema are remedies.
 *
 * @throws OptionError for the first value that cannot be used
 */
export function parseOptions<Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  // What belongs to a misspelt name says nothing, and may be a secret.
  const unknown = issue.type === "strict_object" && issue.expected === "never";
  const value = unknown ? issue.path?.at(-1)?.value : issue.input;
  throw new OptionError(v.getDotPath(issue) ?? "options", value, issue.message, { hidden: unknown });
}

/** An object with these options and no others; `remedy` for what is no object. */
export function options<const Entries extends v.ObjectEntries>(entries: Entries, remedy = "give an object of options") {
  const known = Object.keys(entries);
  // Without a prototype, whatever somebody has put into Object.prototype is no option.
  const named = v.strictObject(Object.assign(Object.create(null), entries) as Entries, (issue) =>
    issue.expected === "never" ? `there is no such option; known are ${known.join(", ")}` : remedy,
  );
  return v.pipe(
    v.custom<v.InferInput<typeof named>>((given) => typeof given === "object" && given !== null, remedy),
    v.transform((given) => optionsIn(given as object, known) as v.InferInput<typeof named>),
    named,
  );
}
