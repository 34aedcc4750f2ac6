import fc from "fast-check";
import { expect, test } from "vitest";
import { redact, secretsOf } from "./redaction.ts";

test("credentials in a URL are not shown, whatever they consist of", () => {
  expect(redact("cannot reach redis://admin:s3cret@10.0.0.1:6379/2")).toBe("cannot reach redis://***@10.0.0.1:6379/2");
  expect(redact("rediss://:p%40ss@host")).toBe("rediss://***@host");
  expect(redact("redis://user:a@b@host")).toBe("redis://***@host");
  expect(redact("redis://host?password=hush&db=1")).toBe("redis://host?password=***&db=1");
});

test("what holds no credentials is left alone", () => {
  for (const text of ["redis://127.0.0.1:6379", "connect ECONNREFUSED 127.0.0.1:6379", "mail me@example.org"]) {
    expect(redact(text)).toBe(text);
  }
});

test("a secret is not shown anywhere", () => {
  const long = fc.string({ minLength: 8 }).filter((secret) => !"***".includes(secret));
  fc.assert(
    fc.property(long, fc.string(), fc.string(), (secret, before, after) => {
      expect(redact(before + secret + after, [secret])).not.toContain(secret);
    }),
  );
});

test("a client's secrets are its passwords", () => {
  expect(secretsOf({ host: "h", username: "u", password: "p", sentinelPassword: "q" })).toEqual(["p", "q"]);
  expect(secretsOf({ password: null })).toEqual([]);
});
