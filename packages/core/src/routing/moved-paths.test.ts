import { expect, test } from "vitest";
import { movedPaths } from "./moved-paths.ts";
import { parsePathPattern } from "./path-pattern.ts";

test.each([
  ["/api", undefined, "/api/*", "/api/x", "", "/api"],
  ["/api", undefined, "/api/*", "/api?x", "", "/api"],
  ["/api", undefined, undefined, "/apis", "", ""],
  [undefined, "/v2/{rest}{query}", "/api/*", "/api/x", "/v2", "/api"],
  [undefined, "/v2/{rest}", "/*", "/x", "/v2", ""],
  [undefined, "/{rest}{query}", "/a/b/*", "/a/b/x", "", "/a/b"],
  [undefined, "/base{uri}", "/api/*", "/api/x", "/base", ""],
  [undefined, "/base{path}{query}", undefined, "/x", "/base", ""],
  [undefined, "{uri}", undefined, "/x", "", ""],
  // No way back.
  [undefined, "/v2/{rest}", "/u/:id/*", "/u/7/x", "", ""],
  [undefined, "/img/{id}.png", "/u/:id", "/u/7", "", ""],
  [undefined, "/v2/{rest}", "*.php", "/a.php", "", ""],
  [undefined, "/v2//{rest}", "/a/*", "/a/x", "", ""],
])("stripPrefix %s, rewrite %s, path %s: of %s, %j is at %j", (stripPrefix, rewrite, path, target, backend, client) => {
  const paths = path === undefined ? undefined : [parsePathPattern(path)!];
  expect(movedPaths({ stripPrefix, rewrite, paths })(target)).toEqual({ backendPath: backend, clientPath: client });
});

test("of several paths, none is the one that a backend's lie under", () => {
  const paths = ["/a/*", "/b/*"].map((text) => parsePathPattern(text)!);
  const moved = movedPaths({ stripPrefix: undefined, rewrite: "/v2/{rest}", paths })("/a/x");
  expect(moved).toEqual({ backendPath: "", clientPath: "" });
});
