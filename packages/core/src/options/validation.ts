import * as v from "valibot";
import { OptionError } from "../model/errors.ts";

/**
 * Checks `input` against `schema`, fills in defaults and freezes the result. The messages of the schema are the
 * remedies that the error shows, so write them as advice: `"give a whole number of at least 1"`.
 *
 * @param prefix dotted path of `input` among the caller's options, e.g. `"health"`; empty for the options as a whole
 * @throws OptionError for the first value that cannot be used
 */
export function parseOptions<Schema extends v.GenericSchema>(
  schema: Schema,
  input: unknown,
  prefix = "",
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input, { abortEarly: true, abortPipeEarly: true });
  if (result.success) return result.output;
  throw errorOf(result.issues[0], prefix);
}

/** Every value of `input` that cannot be used by itself; none: {@link parseOptions} takes it. */
export function optionErrors(schema: v.GenericSchema, input: unknown, prefix = ""): readonly OptionError[] {
  const { issues = [] } = v.safeParse(schema, input, { abortPipeEarly: true });
  return issues.map((issue) => errorOf(issue, prefix));
}

function errorOf(issue: v.BaseIssue<unknown>, prefix: string): OptionError {
  // What belongs to a misspelt name says nothing, and may be a secret.
  const hidden = issue.type === "strict_object" && issue.expected === "never";
  return new OptionError(dottedPath(prefix, issue.path), valueAt(issue), issue.message, { hidden });
}

/**
 * An object of named options, frozen. Other names are refused, with the nearest known one as the remedy; `remedy` is for
 * what is no object.
 */
export function options<const Entries extends v.ObjectEntries>(entries: Entries, remedy = "give an object of options") {
  // Without a prototype, whatever somebody has put into Object.prototype is no option.
  const known = Object.assign(Object.create(null), entries) as Entries;
  const named = v.strictObject(known, (issue) => remedyForKey(issue, Object.keys(entries)));
  // valibot takes an array for an object, hence the check before it; the cast keeps the input type that it hides.
  const checked = v.pipe(
    v.custom<object>(isPlainObject, remedy),
    v.transform((given) => optionsIn(given, Object.keys(entries))),
    named,
    v.transform((value) => Object.freeze(value)),
  ) as unknown as v.GenericSchema<v.InferInput<typeof named>, Readonly<v.InferOutput<typeof named>>>;
  return Object.assign(checked, { entries });
}

/** A schema that can be asked for its options: `docs/options.md` and the flags of `lb start` are made of them. */
export interface OptionGroup {
  readonly entries: v.ObjectEntries;
}

/** `schema`, which takes the options of `group` among other things; what is piped from it has them too. */
export function withEntries<Schema extends v.GenericSchema>(schema: Schema, group: Partial<OptionGroup>): Schema {
  return group.entries === undefined ? schema : Object.assign(schema, { entries: group.entries });
}

/**
 * What is given in `options`, itself or by inheritance, as an object that inherits nothing: what every object inherits is
 * given by nobody.
 */
export function optionsIn(given: object, known: readonly string[]): object {
  const own: Record<string, unknown> = Object.create(null);
  const everybodys = Object.prototype as Record<string, unknown>;
  const values = given as Record<string, unknown>;
  for (const name in values) if (Object.hasOwn(values, name) || !(name in everybodys)) own[name] = values[name];
  for (const name of known) if (!(name in own) && name in values && !(name in everybodys)) own[name] = values[name];
  return own;
}

/** `false` to switch a part off, or its options. */
export function offOr<Schema extends v.GenericSchema>(schema: Schema) {
  const either = v.lazy((input) => (input === false ? OFF : schema)) as unknown as v.GenericSchema<
    v.InferInput<Schema> | false,
    v.InferOutput<Schema> | false
  >;
  return withEntries(either, schema as Partial<OptionGroup>);
}

/** A group that can be switched on as it is by default, or off. `Input` is what users write of it, `Output` what becomes of that. */
export function defaultsOr<Input, Output>(schema: v.GenericSchema) {
  const either = v.lazy((input) =>
    input === true
      ? v.pipe(
          v.literal(true),
          v.transform(() => v.parse(schema, {})),
        )
      : offOr(schema),
  ) as unknown as v.GenericSchema<Input | boolean, Output | false>;
  return withEntries(either, schema as Partial<OptionGroup>);
}

/** A whole number from `min` to `max`, both included. */
export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER) {
  const remedy = `give a whole number ${rangeWords(min, max)}`;
  return v.pipe(v.number(remedy), v.safeInteger(remedy), v.minValue(min, remedy), v.maxValue(max, remedy));
}

/** Longest delay that Node's timers can hold. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A time span in milliseconds that a timer can wait for. */
export function milliseconds(min: number, max: number = MAX_TIMER_MS) {
  const remedy = `give milliseconds ${rangeWords(min, max)}`;
  return v.pipe(v.number(remedy), v.finite(remedy), v.minValue(min, remedy), v.maxValue(max, remedy));
}

export function yesOrNo() {
  return v.boolean("give true or false");
}

/** A value that has to be a function; its type is the caller's word. */
export function callback<Call extends (...args: never[]) => unknown>(remedy: string) {
  return v.custom<Call>((value) => typeof value === "function", remedy);
}

/** A part of a whole: 0 is none of it, 1 all of it. */
export function share() {
  const remedy = "give a share between 0 (none) and 1 (all)";
  return v.pipe(v.number(remedy), v.minValue(0, remedy), v.maxValue(1, remedy));
}

/** A finite number greater than 0. */
export function positiveNumber() {
  const remedy = "give a number greater than 0";
  return v.pipe(v.number(remedy), v.finite(remedy), v.gtValue(0, remedy));
}

const minSecretLength = 16;

export const secretRemedy = `give at least ${minSecretLength} characters, e.g. of "openssl rand -hex 32"`;

/** What nobody is to guess. */
export const secretText = v.pipe(v.string(secretRemedy), v.minLength(minSecretLength, secretRemedy));

/** One of a few names; a misspelt one is answered with the nearest. */
export function oneOf<const Names extends readonly string[]>(names: Names) {
  return v.picklist(names, (issue) => {
    const list = `use one of ${names.map((name) => JSON.stringify(name)).join(", ")}`;
    const near = typeof issue.input === "string" ? nearest(issue.input, names) : undefined;
    return near === undefined ? list : `did you mean ${JSON.stringify(near)}? If not, ${list}`;
  });
}

/** The known name that `name` is most likely a misspelling of, if any is near enough to guess. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

const OFF = v.literal(false);

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function remedyForKey(issue: v.StrictObjectIssue, known: readonly string[]): string {
  if (issue.expected !== "never") return "it is required";
  const near = nearest(String(issue.input), known);
  if (near !== undefined) return `there is no such option; did you mean "${near}"?`;
  return `there is no such option; known are ${known.join(", ")}`;
}

function dottedPath(prefix: string, path: readonly v.IssuePathItem[] | undefined): string {
  let dotted = prefix;
  for (const { key } of path ?? []) {
    if (typeof key === "number") dotted += `[${key}]`;
    else dotted += dotted === "" ? String(key) : `.${String(key)}`;
  }
  return dotted === "" ? "options" : dotted;
}

/** The offending value; where a name is unknown, valibot's `input` is the name and the value is in the path. */
function valueAt(issue: v.BaseIssue<unknown>): unknown {
  const last = issue.path?.at(-1);
  return last !== undefined && "origin" in last && last.origin === "key" ? last.value : issue.input;
}

function rangeWords(min: number, max: number): string {
  return max === Number.MAX_SAFE_INTEGER || max === MAX_TIMER_MS ? `of at least ${min}` : `from ${min} to ${max}`;
}

/** Levenshtein distance over two rows; names are short, so its quadratic cost does not matter. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(previous[column]! + 1, current[column - 1]! + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length]!;
}
