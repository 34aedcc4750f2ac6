import { expect, test } from "vitest";
import { parsePathPattern } from "./path-pattern.ts";
import { namesIn, namesKnown, TargetTemplate } from "./target-template.ts";

test.each([
  ["/*", "/new{uri}", "/a?b", "/new/a?b"],
  ["/old/*", "/new/{rest}{query}", "/old/a/b?c", "/new/a/b?c"],
  ["/old/*", "/new/{rest}", "/old", "/new/"],
  ["/u/:id/*", "/users/{id}/{rest}", "/u/7/x", "/users/7/x"],
  ["/*", "https://b.example{uri}", "/a", "https://b.example/a"],
  ["/*", "https://{host}{path}", "/a?b", "https://a.example:81/a"],
  ["/*", "{uri}", "//evil.example/", "/evil.example/"],
  ["/*", "{uri}", "/\\evil.example/", "/evil.example/"],
  ["/a/*", "/{rest}", "/a//evil.example", "/evil.example"],
])("%s, to %s: %s becomes %s (BAD-INPUTS 178: never another host)", (pattern, text, target, expected) => {
  const template = new TargetTemplate(text, [parsePathPattern(pattern)!]);
  expect(template.fill({ target, host: "a.example:81" })).toBe(expected);
});

test("knows what it names, and what it may name", () => {
  expect(namesIn("/a/{id}/{rest}{x")).toEqual(["id", "rest"]);
  const patterns = ["/u/:id/*", "/v/:id/:no"].map((text) => parsePathPattern(text)!);
  expect([...namesKnown(patterns)]).toEqual(["path", "query", "uri", "rest", "host", "id"]);
});
