import { expect, test } from "vitest";
import { plainPath } from "./plain-path.ts";

test.each([
  ["/a/b.c", "/a/b.c"],
  ["/a/", "/a/"],
  ["/a/../b", "/b"],
  ["/a/./b", "/a/b"],
  ["/a/..", "/"],
  ["/a/.", "/a/"],
  ["/../../a", "/a"],
  ["//a//b", "/a/b"],
  ["/%61dmin", "/admin"],
  ["/a%2Fb", "/a/b"],
  ["/a/%2e%2E/b", "/b"],
  ["/a\\..\\b", "/b"],
  ["/a%5c..%5Cb", "/b"],
  ["/.well-known/x", "/.well-known/x"],
  ["/%00%20%25", "/%00%20%25"],
  ["/%zz%", "/%zz%"],
])("%s is %s", (path, plain) => {
  expect(plainPath(path)).toBe(plain);
});
