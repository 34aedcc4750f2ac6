import { describe, expect, test } from "vitest";
import { normaliseAddress } from "../http/address.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { LbError } from "../model/errors.ts";
import type { RateLimitKey } from "../options/rate-limit-options.ts";
import { limitKey } from "./limit-key.ts";

function keyOf(key: RateLimitKey, { address = "203.0.113.9", fields = {} as Record<string, string> } = {}) {
  const failures: LbError[] = [];
  const request = { clientAddress: normaliseAddress(address), header: (name: string) => fields[name] };
  return { key: limitKey(key, (error) => failures.push(error))(request as unknown as RequestHead), failures };
}

describe("by address", () => {
  test("IPv6 addresses of one /64 are one key, as 100,000 of them are (BAD-INPUTS 181)", () => {
    const keys = new Set<string | undefined>();
    for (let host = 0; host < 100_000; host++) {
      keys.add(
        keyOf("address", { address: `2001:db8:1:2:${(host >> 8).toString(16)}::${(host & 255).toString(16)}` }).key,
      );
    }
    expect(keys.size).toBe(1);
    expect(keyOf("address", { address: "2001:db8:1:3::1" }).key).not.toBe([...keys][0]);
  });

  test("IPv4 addresses are keys of their own, mapped into IPv6 or not; who has no address has none", () => {
    expect(keyOf("address", { address: "::ffff:203.0.113.9" }).key).toBe(keyOf("address").key);
    expect(keyOf("address", { address: "203.0.113.10" }).key).not.toBe(keyOf("address").key);
    expect(keyOf("address", { address: "" }).key).toBe(undefined);
  });
});

test("by a field or a cookie: what is not there, or empty, is nobody's", () => {
  expect(keyOf({ header: "X-Api-Key" }, { fields: { "x-api-key": "k1" } }).key).toBe("k1");
  expect(keyOf({ header: "X-Api-Key" }).key).toBe(undefined);
  expect(keyOf({ cookie: "sid" }, { fields: { cookie: "a=1; sid=s1" } }).key).toBe("s1");
  expect(keyOf({ cookie: "sid" }, { fields: { cookie: "a=1; sid=" } }).key).toBe(undefined);
  // A client that sends two may not choose between them.
  expect(keyOf({ cookie: "sid" }, { fields: { cookie: "sid=1; sid=2" } }).key).toBe(undefined);
});

test("long keys are kept as digests, and differ as they do", () => {
  const long = (end: string) => keyOf({ header: "x" }, { fields: { x: "k".repeat(8_000) + end } }).key!;
  expect(long("a").length).toBeLessThan(64);
  expect(long("a")).toBe(long("a"));
  expect(long("a")).not.toBe(long("b"));
});

test("a function's failures are told, and its requests are nobody's", () => {
  expect(keyOf(() => "mine")).toEqual({ key: "mine", failures: [] });
  expect(keyOf(() => undefined)).toEqual({ key: undefined, failures: [] });
  const thrown = keyOf(() => {
    throw new Error("oops");
  });
  const odd = keyOf(() => 7 as never);
  for (const { key, failures } of [thrown, odd]) {
    expect(key).toBe(undefined);
    expect(failures.map(({ code }) => code)).toEqual(["LB_RATE_LIMIT_KEY"]);
  }
});
