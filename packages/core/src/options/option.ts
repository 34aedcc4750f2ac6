import * as v from "valibot";
import type { OptionGroup } from "./validation.ts";

/** The headings under which `lb start --help` has its flags, in this order. */
export const flagGroups = ["Cluster", "Balancing", "Health and life", "What may pass", "Output"] as const;

/** The flag of `lb start` that sets an option. */
export interface OptionFlag {
  /** As commander has it. What stands in brackets says how it is read: `<time>`, `<size>`, `<n>`, … */
  readonly name: string;
  readonly group: (typeof flagGroups)[number];
  /** What `--help` says, if the line of the documentation does not do there. */
  readonly help?: string;
  /** The default as `--help` has it, if the documentation's does not do there. */
  readonly fallback?: string;
  /** What it gives goes over the group that a configuration has there, not in place of all of it. */
  readonly joins?: boolean;
  /** If the option takes more than these names. */
  readonly choices?: readonly string[];
}

export interface OptionNotes {
  /** The default in words, where its value does not say it: it is computed, or an object. Markdown. */
  readonly otherwise?: string;
  /** What `lb start` takes in place of the default. */
  readonly underStart?: string | boolean;
  /** How it is written, where it is not by its name alone. Markdown. */
  readonly written?: string;
  readonly flag?: OptionFlag;
}

export interface Documented {
  /** One line for `docs/options.md`, in Markdown. */
  readonly about: string;
  readonly notes: OptionNotes;
}

/**
 * An option, whole: what it may be, what it is when it is left out, and the line that the documentation has for it. Its
 * type with what an editor shows stands in the same file; `documentation.test.ts` compares the two.
 */
export function option<
  const Schema extends v.GenericSchema,
  const Fallback extends v.Default<Schema, undefined> = undefined,
>(
  schema: Schema,
  fallback: Fallback,
  about: string,
  notes: OptionNotes = {},
): v.OptionalSchema<Schema, Fallback> & Documented {
  return Object.assign(v.optional(schema, fallback) as v.OptionalSchema<Schema, Fallback>, { about, notes });
}

/** One that cannot be left out of its group. */
export function required<const Schema extends v.GenericSchema>(
  schema: Schema,
  about: string,
  notes: OptionNotes = {},
): Schema & Documented {
  return Object.assign(schema, { about, notes });
}

/** The entries for the options of an interface: all of them, and no others. */
export type EntriesOf<Options> = {
  readonly [Name in keyof Options]-?: v.GenericSchema<OrUndefined<Options[Name]> | undefined, unknown> & Documented;
};

/** Schemas let `undefined` be written out for what may be left out. */
type OrUndefined<Value> = Value extends ((...args: never[]) => unknown) | readonly unknown[]
  ? Value
  : Value extends object
    ? { [Name in keyof Value]: OrUndefined<Value[Name]> | undefined }
    : Value;

/** An option as a table of the documentation, or a list of flags, needs it. */
export interface DescribedOption extends Documented {
  /** Where it belongs, e.g. `"limits.maxBodyBytes"`. */
  readonly path: string;
  readonly schema: v.GenericSchema;
  readonly isRequired: boolean;
  readonly fallback: unknown;
  /** What it consists of, if it is a group. */
  readonly parts: readonly DescribedOption[];
}

/** The options of a group, in the order in which they stand there. */
export function describe({ entries }: OptionGroup, within = ""): readonly DescribedOption[] {
  return Object.entries(entries).map(([name, entry]) => {
    const { about, notes } = entry as unknown as Documented;
    const isRequired = entry.type !== "optional";
    const { wrapped, default: fallback } = (isRequired ? { wrapped: entry } : entry) as {
      readonly wrapped: v.GenericSchema & Partial<OptionGroup>;
      readonly default?: unknown;
    };
    const path = `${within}${name}`;
    const parts = wrapped.entries === undefined ? [] : describe({ entries: wrapped.entries }, `${path}.`);
    return { path, about, notes, schema: wrapped, isRequired, fallback, parts };
  });
}
