import { describe, expect, test } from "vitest";
import { emptyReport, fuzz } from "../../test/support/fuzz.ts";
import { routeTarget } from "../../test/support/route-fuzz.ts";
import { parsePathPattern } from "./path-pattern.ts";
import type { RouteRule } from "./route-rule.ts";
import { RouteTable } from "./route-table.ts";

function rule(paths?: string | readonly string[], others: Partial<RouteRule> = {}): RouteRule {
  return {
    hosts: undefined,
    methods: undefined,
    headers: [],
    ...others,
    paths: paths === undefined ? undefined : [paths].flat().map((text) => parsePathPattern(text)!),
  };
}

const asks = (
  target: string,
  { method = "GET", hostName = "a.example", headers = {} as Record<string, string> } = {},
) => ({
  method,
  target,
  hostName,
  header: (name: string) => headers[name],
});

test.each([
  ["/", ["/", "/?q"], ["/a", "//", "*"]],
  ["/a/b", ["/a/b", "/a/b?x=/c"], ["/a/b/", "/a/b/c", "/a", "/A/b", "/a%2fb", "//a/b"]],
  ["/a/*", ["/a", "/a/", "/a/b/c", "/a?x", "/a//", "/a/../b"], ["/ab", "/A/b", "/", "/a%2Fb", "//a", "/%61/b"]],
  ["/*", ["/", "/x/y", "*", "//"], []],
  ["*", ["/", "/x/y", "*", "//"], []],
  ["/u/:id/x", ["/u/1/x", "/u/%2f/x"], ["/u//x", "/u/1/2/x", "/u/1"]],
  ["/u/:id/*", ["/u/1", "/u/1/", "/u/1/2/x"], ["/u/", "/u//x"]],
  ["*.php", ["/a.php", "/x/y/a.b.php?z", "/.php"], ["/a.php/", "/a.phpx", "/php", "/a.PHP"]],
  ["/x/*.css", ["/x/a.css", "/x/y/a.css"], ["/a.css", "/x/a.css/b", "/x"]],
] as const)("BAD-INPUTS 179: %s is matched on the octets of the path", (pattern, those, others) => {
  const table = new RouteTable([rule(pattern)]);
  for (const target of those) expect(table.find(asks(target)), target).toBe(0);
  for (const target of others) expect(table.find(asks(target)), target).toBe(undefined);
});

test.each([
  "",
  "a",
  "a/*",
  "/a*",
  "/*/a",
  "/a/**",
  "/a?b",
  "/a#b",
  "/a b",
  "/:",
  "/:1",
  "/:a/:a",
  "*.",
  "/*.a.b",
  "/é",
])("%j is no pattern", (text) => {
  expect(parsePathPattern(text)).toBe(undefined);
});

test("the first that fits counts, whatever is longer", () => {
  const table = new RouteTable([rule("/a/*", { methods: ["POST"] }), rule("/a/b"), rule("/*"), rule("/a/c"), rule()]);
  expect(table.find(asks("/a/b"))).toBe(1);
  expect(table.find(asks("/a/b", { method: "POST" }))).toBe(0);
  expect(table.find(asks("/a/c"))).toBe(2);
});

describe("hosts", () => {
  const table = new RouteTable([
    rule(undefined, { hosts: ["a.example"] }),
    rule(undefined, { hosts: ["*.b.example", "b.example"] }),
    rule(undefined, { hosts: ["*.example"] }),
  ]);

  test.each([
    ["a.example", 0],
    ["b.example", 1],
    ["x.b.example", 1],
    ["x.y.b.example", 1],
    ["c.example", 2],
    ["xb.example", 2],
    ["example", undefined],
    [".example", undefined],
    ["a.example.evil", undefined],
    ["", undefined],
  ])("%s", (hostName, expected) => {
    expect(table.find(asks("/", { hostName }))).toBe(expected);
  });
});

test("header fields are there, are not, or have one of a few values", () => {
  const table = new RouteTable([
    rule(undefined, { headers: [{ kind: "values", name: "x-v", values: ["1", "2"] }] }),
    rule(undefined, { headers: [{ kind: "present", name: "x-b", present: true }] }),
    rule("/a", { headers: [{ kind: "present", name: "x-v", present: false }] }),
  ]);
  expect(table.find(asks("/", { headers: { "x-v": "2" } }))).toBe(0);
  expect(table.find(asks("/", { headers: { "x-v": "3", "x-b": "" } }))).toBe(1);
  expect(table.find(asks("/a"))).toBe(2);
  expect(table.find(asks("/a", { headers: { "x-v": "" } }))).toBe(undefined);
});

test("finds what a look at one rule after the other finds, by what was written (pnpm fuzz --target routes)", async () => {
  const report = emptyReport();
  await fuzz(routeTarget, { seed: 14, first: 0, count: 500 }, report);
  expect(report.divergences).toEqual([]);
  expect(report.accepted).toBeGreaterThan(250);
});
