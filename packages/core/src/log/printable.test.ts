import { expect, test } from "vitest";
import { printable } from "./printable.ts";

test.each([
  ["plain ü 漢", "plain ü 漢"],
  ["\u001b]0;title\u0007", "\\x1b]0;title\\x07"],
  ["two\r\nlines\u2028three", "two\\r\\nlines\\u2028three"],
  ["\u202eevil\u009b2J", "\\u202eevil\\x9b2J"],
  ["a\tb", "a b"],
])("%j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});
