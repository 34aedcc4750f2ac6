import { option, options } from "@lb/core/kit";
import * as v from "valibot";
import { fieldName, isFieldValue } from "../header-fields.ts";

/** What one header field becomes: a text, undefined to leave it out, or a function of what it was, which may take its time. */
export type HeaderRule<Request = unknown> =
  | string
  | undefined
  | ((value: string | undefined, request: Request) => string | undefined | PromiseLike<string | undefined>);

/** Rules by header name. */
export type HeaderRules<Request = unknown> = Readonly<Record<string, HeaderRule<Request>>>;

/** All fields of a head by lower-case name; several lines of one name are a list. */
export type HeaderFields = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Returns the fields that a head has in place of those it had, perhaps later. */
export type HeaderHook<Request = unknown> = (
  fields: HeaderFields,
  request: Request,
) => HeaderFields | PromiseLike<HeaderFields>;

/** What becomes of a head: rules for single fields, or a function of all. They come last: after what is removed and added in any case. */
export interface HeaderOptions<Request = unknown> {
  /** Of requests, as targets get them. */
  readonly request?: HeaderRules<Request> | HeaderHook<Request>;
  /** Of responses, as clients get them. */
  readonly response?: HeaderRules<Request> | HeaderHook<Request>;
}

const remedy = 'give an object of header names, each with a text, undefined or a function, e.g. { "X-Via": "lb" }';

const table = v.pipe(
  v.record(
    fieldName(),
    v.custom<HeaderRule>(
      (rule) => rule === undefined || typeof rule === "function" || isFieldValue(rule),
      "give a text without line breaks, undefined or a function",
    ),
    remedy,
  ),
  v.transform((given) =>
    Object.freeze(Object.entries(given).map(([name, rule]) => Object.freeze([name.toLowerCase(), rule] as const))),
  ),
);

/** Header rules as parsed: lower-case name and rule, frozen; or a function of all fields. */
export type ParsedHeaderRules = v.InferOutput<typeof table> | HeaderHook;

const rules = v.lazy((input) =>
  typeof input === "function" ? v.custom<HeaderHook>(() => true) : table,
) as unknown as v.GenericSchema<HeaderRules | HeaderHook, ParsedHeaderRules>;

export const headersSchema = options({
  request: option(rules, {}, "of what targets get", { otherwise: "none" }),
  response: option(rules, {}, "of what clients get", { otherwise: "none" }),
});
