import { expect, test } from "vitest";
import { parsePathPattern } from "./path-pattern.ts";
import type { RouteRule } from "./route-rule.ts";
import { unreachableRule } from "./unreachable.ts";

const rule = (path?: string, others: Partial<RouteRule> = {}): RouteRule => ({
  hosts: undefined,
  methods: undefined,
  headers: [],
  ...others,
  paths: path === undefined ? undefined : [parsePathPattern(path)!],
});
const values = (...given: string[]) => [{ kind: "values", name: "x", values: given } as const];

test.each<[string, RouteRule, RouteRule]>([
  ["all", rule(), rule("/a", { hosts: ["a"] })],
  ["all paths", rule("/*"), rule()],
  ["below", rule("/a/*"), rule("/a/:id/b")],
  ["itself", rule("/a"), rule("/a")],
  ["a segment", rule("/:x"), rule("/a")],
  ["an extension", rule("*.css"), rule("/x/a.css")],
  ["extensions", rule("*.css"), rule("/x/*.css")],
  ["a domain", rule("/a", { hosts: ["*.example"] }), rule("/a", { hosts: ["*.x.example", "y.example"] })],
  ["methods", rule("/a", { methods: ["GET", "POST"] }), rule("/a", { methods: ["GET"] })],
  ["values", rule("/a", { headers: values("1", "2") }), rule("/a", { headers: values("2") })],
  [
    "presence",
    rule("/a", { headers: [{ kind: "present", name: "x", present: true }] }),
    rule("/a", { headers: values("2") }),
  ],
])("what takes %s leaves nothing", (_, before, after) => {
  expect(unreachableRule([{ rule: before }, { rule: after }])).toEqual({ number: 1, behind: 0 });
});

test.each<[string, RouteRule, RouteRule]>([
  ["the path above", rule("/a/b"), rule("/a/*")],
  ["another host", rule("/a", { hosts: ["a"] }), rule("/a")],
  ["the domain itself", rule("/a", { hosts: ["*.example"] }), rule("/a", { hosts: ["example"] })],
  ["other methods", rule("/a", { methods: ["GET"] }), rule("/a")],
  ["an empty segment", rule("/:x"), rule("/")],
  ["what has no extension", rule("*.css"), rule("/:x")],
  ["other values", rule("/a", { headers: values("1") }), rule("/a", { headers: values("1", "2") })],
])("and one that leaves %s is followed by others", (_, before, after) => {
  expect(unreachableRule([{ rule: before }, { rule: after }])).toBe(undefined);
});

test("what leaves some of its requests to others takes none from them for good", () => {
  expect(unreachableRule([{ rule: rule(), leaves: true }, { rule: rule("/a") }])).toBe(undefined);
});

test("10,000 rules are looked through in a moment, alike ones too", () => {
  const numbers = Array.from({ length: 10_000 }, (_, number) => number);
  const lists = [
    numbers.map((number) => rule(`/service-${number}/*`)),
    numbers.map((number) => rule("/*", { hosts: [`h${number}.example`] })),
    numbers.map((number) => rule("/a", { headers: values(`${number}`) })),
    numbers.map((number) => rule(`/:a/${number}`, { methods: ["GET"] })),
  ];
  const began = performance.now();
  for (const list of lists) expect(unreachableRule(list.map((each) => ({ rule: each })))).toBe(undefined);
  // Some 50 ms each; a look at each pair took some seconds.
  expect(performance.now() - began).toBeLessThan(3_000);
});
