import type { OutgoingHttpHeaders } from "node:http";
import { GatewayError } from "../errors.ts";
import { isFieldName, isFieldValue } from "../header-fields.ts";
import { after } from "./after.ts";
import type { HeaderFields, HeaderHook, HeaderRule, ParsedHeaderRules } from "./header-options.ts";
import { resultOf } from "./user-function.ts";

/**
 * What rules make of `headers`, by lower-case name; they may be changed on the way.
 *
 * @throws GatewayError, or rejects with one: `LB_RULE` when a function throws or returns what no header can be
 */
export function ruled(
  headers: OutgoingHttpHeaders,
  rules: ParsedHeaderRules,
  request: unknown,
): OutgoingHttpHeaders | PromiseLike<OutgoingHttpHeaders> {
  if (typeof rules === "function") return hooked(headers, rules, request);
  return ruledFrom(0);

  function ruledFrom(first: number): OutgoingHttpHeaders | PromiseLike<OutgoingHttpHeaders> {
    for (let at = first; at < rules.length; at++) {
      const [name, rule] = (rules as Exclude<ParsedHeaderRules, HeaderHook>)[at]!;
      const value = typeof rule === "function" ? called(name, rule, headers[name], request) : rule;
      if (typeof value === "object") {
        return value.then((made) => {
          set(headers, name, made);
          return ruledFrom(at + 1);
        });
      }
      set(headers, name, value);
    }
    return headers;
  }
}

function set(headers: OutgoingHttpHeaders, name: string, value: string | undefined): void {
  if (value === undefined) delete headers[name];
  else headers[name] = value;
}

function called(
  name: string,
  rule: Exclude<HeaderRule, string | undefined>,
  value: OutgoingHttpHeaders[string],
  request: unknown,
): string | undefined | PromiseLike<string | undefined> {
  const text = value === undefined ? undefined : Array.isArray(value) ? value.join(", ") : String(value);
  return after(
    resultOf(`The rule for the header "${name}"`, () => rule(text, request)),
    (made) => {
      if (made === undefined || isFieldValue(made)) return made;
      const remedy = "return undefined, or a string without line breaks";
      throw new GatewayError("LB_RULE", `The rule for the header "${name}" returned what no header can be: ${remedy}`);
    },
  );
}

function hooked(headers: OutgoingHttpHeaders, hook: HeaderHook, request: unknown) {
  return after(
    resultOf("The function for the headers", () => hook(headers as HeaderFields, request)),
    fieldsMade,
  );
}

/** What a function of the user's says that the fields are. */
function fieldsMade(made: unknown): OutgoingHttpHeaders {
  const remedy =
    "return an object of header names, each with a string without line breaks, a list of them or undefined";
  const wrong = (what: string) =>
    new GatewayError("LB_RULE", `The function for the headers returned ${what}: ${remedy}`);
  if (typeof made !== "object" || made === null) throw wrong("no headers");
  const headers: OutgoingHttpHeaders = Object.create(null);
  for (const [name, value] of Object.entries(made)) {
    if (value === undefined) continue;
    const text: unknown = typeof value === "number" ? String(value) : value;
    if (!isFieldName(name) || !(Array.isArray(text) ? text.every(isFieldValue) : isFieldValue(text))) {
      throw wrong(`what the header ${JSON.stringify(name.slice(0, 100))} cannot be`);
    }
    headers[name.toLowerCase()] = text as string | string[];
  }
  return headers;
}
