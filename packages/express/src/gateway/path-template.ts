import { GatewayError } from "../errors.ts";

/** A path that is put before a request's own, with parameters of the route in it. */
export type PathTemplate = (parameters: Readonly<Record<string, unknown>>) => string;

/** What a template may be: a path in which `:name` stands for a parameter. */
export const templatePattern = /^\/(?!\/)[\x21\x22\x24-\x3e\x40-\x7e]*$/;

/** Of `"/users/:id"`, and of `"/v2"` likewise. */
export function pathTemplate(template: string): PathTemplate {
  const whole = template.replace(/\/+$/, "");
  // What has been split at a pattern with a group has the groups at its odd places.
  const parts = whole.split(/:(\w+)/);
  if (parts.length === 1) return () => whole;
  return (parameters) => parts.map((part, at) => (at % 2 === 0 ? part : segmentsOf(part, parameters))).join("");
}

/**
 * A parameter as it stands in a path. Frameworks decode them, and one that is a way up when it is decoded would lead out of
 * the template (BAD-INPUTS 57).
 *
 * @throws GatewayError `LB_RULE` for one that the route does not have, `LB_REQUEST_INVALID` for `.` and `..`
 */
function segmentsOf(name: string, parameters: Readonly<Record<string, unknown>>): string {
  const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
  // Express 5 has the segments of a wildcard as a list.
  const segments: readonly unknown[] = Array.isArray(value) ? value : [value];
  return segments.map((segment) => encoded(name, segment)).join("/");
}

function encoded(name: string, segment: unknown): string {
  if (typeof segment !== "string") {
    throw new GatewayError("LB_RULE", `The option "path" names the parameter "${name}", which the route does not have`);
  }
  if (segment === "." || segment === "..") {
    throw new GatewayError(
      "LB_REQUEST_INVALID",
      `The parameter "${name}" would lead out of the path that it stands in`,
    );
  }
  return encodeURIComponent(segment);
}
