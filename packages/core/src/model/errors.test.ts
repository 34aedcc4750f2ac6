import { expect, test } from "vitest";
import { OptionError } from "./errors.ts";

const shown = (option: string, value: unknown) =>
  new OptionError(option, value, "fix it").message.replace(/^Option ".*" is (.*): fix it$/s, "$1");

test.each([
  ["name", "app", '"app"'],
  ["port", 80.5, "80.5"],
  ["env", null, "null"],
  ["list", [1], "an array"],
  ["big", 1n, "1n"],
  ["run", () => {}, "the function (anonymous)"],
])("%s: %s is shown as %s", (option, value, expected) => {
  expect(shown(option, value)).toBe(expected);
});

test.each([
  "redis://me:s3cret@host:6379",
  "redis:/me:s3cret@host",
  "me:s3cret@host",
  "redis://me:s3/c?r#et:s3cret@host",
  "http://s3cret@host/path@x",
  "redis://h?password=s3cret",
  "http://h/?a=1&apiKey=s3cret&b=2",
  ` ${"x".repeat(70)}:s3cret@h`,
  `${"x".repeat(5_000)}s3cret`,
])("credentials in %j are not", (value) => {
  expect(shown("endpoints[0]", value)).not.toMatch(/s3cret/);
});

test("a key is not, wherever it is given", () => {
  expect(shown("https.certificates", "-----BEGIN PRIVATE KEY-----\nMIGH")).toBe("a text in PEM");
});

test.each([
  "secret",
  "affinity.cookie.secret[1]",
  "token",
  "redisPassword",
  "credentials",
  "https.acme.eab",
  "https.acme.eab.hmacKey",
  "https.certificates[0].key",
])("whatever %s is, is not", (option) => {
  for (const value of ["s3cret", 53, ["s3cret"]]) expect(shown(option, value)).not.toMatch(/s3cret|53/);
});
