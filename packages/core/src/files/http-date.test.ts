import { expect, it } from "vitest";
import { httpDate } from "./http-date.ts";

const now = Date.UTC(2026, 10, 26) / 1_000;

it.each([
  ["Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777],
  ["Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777],
  ["Sun Nov  6 08:49:37 1994", 784_111_777],
  ["Thursday, 26-Nov-26 00:00:00 GMT", now],
  ["Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800],
])("%s is %d", (text, seconds) => {
  expect(httpDate(text, now)).toBe(seconds);
});

it.each([
  "",
  "1",
  "x 1",
  "0",
  "2024-01-01",
  "Sun, 06 Nov 1994 08:49:37",
  "Sun, 06 Nov 1994 08:49:37 +0100",
  "Sun, 31 Feb 2024 00:00:00 GMT",
  "Sun, 06 Nov 1994 25:00:00 GMT",
  "Sun, 06 Foo 1994 08:49:37 GMT",
  "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
])("BAD-INPUTS 176: %j is none", (text) => {
  expect(httpDate(text, now)).toBeUndefined();
});
