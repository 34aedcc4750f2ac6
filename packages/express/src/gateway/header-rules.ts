import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { GatewayError } from "../errors.ts";
import { isFieldValue } from "../header-fields.ts";
import type { HeaderRuleList } from "./options.ts";

/**
 * Applies header rules to `headers`, by lower-case name.
 *
 * @throws GatewayError `LB_RULE` when a rule's function throws or returns no text
 */
export function applyRules(
  headers: OutgoingHttpHeaders,
  rules: HeaderRuleList,
  request: IncomingMessage,
): OutgoingHttpHeaders {
  for (const [name, rule] of rules) {
    const value = typeof rule === "function" ? callRule(name, rule, headers[name], request) : rule;
    if (value === undefined) delete headers[name];
    else headers[name] = value;
  }
  return headers;
}

function callRule(
  name: string,
  rule: Exclude<HeaderRuleList[number][1], string | undefined>,
  value: OutgoingHttpHeaders[string],
  request: IncomingMessage,
): string | undefined {
  let made: unknown;
  try {
    made = rule(value === undefined ? undefined : Array.isArray(value) ? value.join(", ") : String(value), request);
  } catch (cause) {
    throw new GatewayError("LB_RULE", `The rule for the header "${name}" threw`, { cause });
  }
  if (made === undefined || isFieldValue(made)) return made;
  const remedy = "return undefined, or a string without line breaks";
  throw new GatewayError("LB_RULE", `The rule for the header "${name}" returned what no header can be: ${remedy}`);
}
