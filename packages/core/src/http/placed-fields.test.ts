import { describe, expect, test } from "vitest";
import { defaultHttpLimits } from "../../test/support/default-settings.ts";
import type { BackendPlace } from "./location-rewriting.ts";
import { namesPlaces, type PlacedFieldRules, placedFields } from "./placed-fields.ts";
import { ResponseHead, ResponseHeadParser } from "./response-head.ts";

function headOf(lines: string): ResponseHead {
  const bytes = Buffer.from(`HTTP/1.1 302 Found\r\n${lines}Content-Length: 0\r\n\r\n`, "latin1");
  const head = new ResponseHeadParser(defaultHttpLimits).parse(bytes, 0, bytes.length, "GET");
  if (!(head instanceof ResponseHead)) throw new Error("no head");
  return head;
}

const place: BackendPlace = {
  backendAuthorities: ["api.internal:3000", "10.0.0.1:3000"],
  clientAuthority: "www.example",
  backendPath: "/base",
  clientPath: "/api",
};
const all: PlacedFieldRules = { locations: true, cookies: "moved" };

function made(lines: string, rules = all, dropped?: readonly string[]) {
  return placedFields(headOf(lines), rules, place, dropped);
}

test.each([
  ["Location: http://10.0.0.1:3000/base/a?b\r\n", "Location: /api/a?b\r\n"],
  ["location: /base/a\r\n", "location: /api/a\r\n"],
  ["Content-Location: http://api.internal:3000/base\r\n", "Content-Location: /api\r\n"],
  ["Refresh: 5; url=/base/a\r\n", "Refresh: 5; url=/api/a\r\n"],
  ["Location: http://www.example/base/a\r\n", "Location: http://www.example/api/a\r\n"],
  ["Set-Cookie: a=1; Path=/base/x\r\n", "Set-Cookie: a=1; Path=/api/x\r\n"],
  ["Set-Cookie: a=1; Domain=api.internal; Secure\r\n", "Set-Cookie: a=1; Secure\r\n"],
])("%j becomes %j", (lines, expected) => {
  expect(namesPlaces(headOf(lines))).toBe(true);
  expect(made(lines)?.lines).toBe(expected);
});

test.each([
  "Location: https://elsewhere.example/base/a\r\n",
  "Location: relative\r\n",
  "Location: /api/a\r\n",
  "Set-Cookie: a=1; Path=/\r\n",
  "Set-Cookie: a=1; Domain=www.example\r\n",
  "Set-Cookie: __Host-a=1; Path=/; Secure\r\n",
  "Set-Cookie: a=1\r\n",
])("%j stays", (lines) => {
  expect(made(lines)).toBe(undefined);
});

test("what has none of these fields is not looked at again", () => {
  const head = headOf("X-Location: /base\r\nCookie: a\r\n");
  expect([namesPlaces(head), head.namesPlaces]).toEqual([false, false]);
});

describe("fields that come several times", () => {
  test("keep their order, and those that stay are among them", () => {
    const cookies = "Set-Cookie: a=1; Path=/base/x\r\nSet-Cookie: b=2; Path=/\r\nset-cookie: c=3; Path=/base\r\n";
    const expected = "Set-Cookie: a=1; Path=/api/x\r\nSet-Cookie: b=2; Path=/\r\nset-cookie: c=3; Path=/api\r\n";
    expect(made(cookies)).toEqual({ names: ["set-cookie"], lines: expected });
    const both = made(`Location: /base/a\r\n${cookies}Content-Location: /base/b\r\n`);
    expect(both).toEqual({
      names: ["location", "content-location", "set-cookie"],
      lines: `Location: /api/a\r\nContent-Location: /api/b\r\n${expected}`,
    });
  });
});

describe("as the rules say", () => {
  const lines = "Location: /base/a\r\nSet-Cookie: a=1; Path=/; Domain=any.example\r\n";

  test("cookies are for the backend alone, or all stays", () => {
    expect(made(lines, { locations: false, cookies: "mounted" })?.lines).toBe("Set-Cookie: a=1; Path=/api\r\n");
    expect(made("Set-Cookie: a=1; Path=/base/\r\n", { locations: false, cookies: "mounted" })?.lines).toBe(
      "Set-Cookie: a=1; Path=/api\r\n",
    );
    expect(made(lines, { locations: false, cookies: "kept" })).toBe(undefined);
  });

  test("what is dropped stays so", () => {
    expect(made(lines, all, ["location"])).toBe(undefined);
  });
});
