import { expect, test } from "vitest";
import { mayClimb, plainPath } from "./plain-path.ts";

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
  ["/a/..;/b", "/b"],
  ["/a;v=1/b;w", "/a/b"],
  ["/a/%2e%2e%3bx/b", "/b"],
])("%s is %s", (path, plain) => {
  expect(plainPath(path)).toBe(plain);
});

test.each([
  "/..",
  "/../x",
  "/x/..?y",
  "/%2e%2E/x",
  "/.%2e/",
  "/x%2f..%2Fy",
  "/..%5cx",
  "\\..\\x",
  "/..;/x",
  "/x/%2e.",
  "/..%3bx",
])("%s may lead out of what it is put behind (BAD-INPUTS 57, 170)", (path) => {
  expect(mayClimb(path)).toBe(true);
});

test.each(["/", "/x", "/...", "/..x", "/x..", "/x../y", "/%2e", "/.", "/x?y=/../z", "/a%20b", "/%E2%82%AC"])(
  "%s may not",
  (path) => {
    expect(mayClimb(path)).toBe(false);
  },
);
