import * as v from "valibot";

/** The name of a header field (RFC 9110 §5.1). */
const namePattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export function fieldName() {
  const message = 'give the name of a header, e.g. "X-Instance-Id"';
  return v.pipe(v.string(message), v.regex(namePattern, message));
}

export function isFieldName(name: string): boolean {
  return namePattern.test(name);
}

/** What a header field can hold (RFC 9110 §5.5). */
export function isFieldValue(value: unknown): value is string {
  return typeof value === "string" && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}
